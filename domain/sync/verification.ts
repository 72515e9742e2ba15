import { annotationPrefix, setCondition, type Condition } from '../resources/meta.ts';
import type {
  RegistryCapability,
  RegistrySecret,
  RegistrySecretSpec,
  RegistrySecretStatus,
} from '../resources/registry-secret.ts';
import { explain, retryable, type FailureFacts } from './failure-facts.ts';

/** What signing in to a registry showed, or why it did not work. */
export type VerifyResult =
  | {
      readonly success: true;
      readonly outcome: {
        readonly capabilities: readonly RegistryCapability[];
        readonly pullQuota?: NonNullable<RegistrySecretStatus['pullQuota']>;
        readonly expires?: string;
      };
    }
  | { readonly success: false; readonly failure: FailureFacts };

/** The verdict for people: English, then Chinese after ` / `. */
export function verifyMessage(result: VerifyResult): string {
  return result.success ? 'Connected / 连接成功' : explain(result.failure);
}

/** The annotations that the contract names; `nowMs` in epoch milliseconds. */
export function verifiedAnnotations(result: VerifyResult, nowMs: number): Record<string, string> {
  return {
    [`${annotationPrefix}verify-status`]: result.success ? 'success' : 'failed',
    [`${annotationPrefix}verify-message`]: verifyMessage(result),
    [`${annotationPrefix}verify-timestamp`]: String(nowMs),
  };
}

/** What a connection did, as people are told: once, and not at every wobble. */
export type ConnectionTurn = 'connected' | 'lost';

/**
 * The status with the conditions `Verified`, which is the last test and nothing else, and `Connected`, which Events and
 * alerts follow. `Connected` turns at once where nothing was known, and where the registry refuses; a registry that is away
 * or back has to be so twice in a row, so that one that comes and goes is not told of each time. What the credential can
 * do is kept only while it works. `now` is RFC 3339 UTC.
 */
export function verifiedStatus(
  { status, metadata, spec }: RegistrySecret,
  result: VerifyResult,
  now: string,
): { readonly status: RegistrySecretStatus; readonly turn?: ConnectionTurn } {
  const { capabilities: _capabilities, pullQuota: _quota, expires: _expires, ...known } = status ?? {};
  const before = status?.conditions ?? [];
  const told = {
    status: result.success ? ('True' as const) : ('False' as const),
    reason: result.success ? 'Succeeded' : result.failure.code,
    message: verifyMessage(result),
    observedGeneration: metadata.generation ?? 0,
  };
  const turns = isTurn(before, result);
  const isConnected = before.find(({ type }) => type === 'Connected')?.status;
  const advice = adviceOf(spec, result);
  const verified = setCondition(
    before,
    { type: 'Verified', ...told, message: [told.message, ...advice].join('. ') },
    now,
  );
  const conditions = turns ? setCondition(verified, { type: 'Connected', ...told }, now) : verified;
  return {
    status: {
      ...known,
      ...(result.success ? result.outcome : {}),
      observedGeneration: metadata.generation ?? 0,
      lastVerified: now,
      conditions,
    },
    ...(turns && isConnected !== told.status ? { turn: result.success ? 'connected' : 'lost' } : {}),
  };
}

/** Registries that somebody runs for others: their garbage collection spares what was just pushed. */
const hosted =
  /^(?:(?:.*\.)?docker\.io|ghcr\.io|quay\.io|registry\.gitlab\.com|(?:.*\.)?gcr\.io|.*\.pkg\.dev|.*\.(?:aliyuncs\.com|amazonaws\.com|azurecr\.io))(?::\d+)?$/;

/** What should be declared about a registry that images are pushed to; said once, in the condition `Verified`. */
function adviceOf(spec: RegistrySecretSpec, result: VerifyResult): readonly string[] {
  if (!result.success || spec.gcSettleSeconds !== undefined || hosted.test(spec.domain)) return [];
  if (!result.outcome.capabilities.some(({ actions }) => actions.includes('push'))) return [];
  return [
    'Set gcSettleSeconds: how long its garbage collection may run, 0 for never / 请设置 gcSettleSeconds',
  ];
}

/** Whether `Connected` is to say what this test says. */
function isTurn(before: readonly Condition[], result: VerifyResult): boolean {
  const of = (name: string): string | undefined => before.find(({ type }) => type === name)?.status;
  const now = result.success ? 'True' : 'False';
  if (of('Connected') === undefined || of('Connected') === now) return true;
  return of('Verified') === now || (!result.success && !retryable(result.failure));
}
