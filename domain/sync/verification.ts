import { annotationPrefix, setCondition } from '../resources/meta.ts';
import type {
  RegistryCapability,
  RegistrySecret,
  RegistrySecretStatus,
} from '../resources/registry-secret.ts';
import { explain, type FailureFacts } from './failure-facts.ts';

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

/** The status with condition `Verified`. What the credential can do is kept only while it works. `now` is RFC 3339 UTC. */
export function verifiedStatus(
  { status, metadata }: RegistrySecret,
  result: VerifyResult,
  now: string,
): RegistrySecretStatus {
  const { capabilities: _capabilities, pullQuota: _quota, expires: _expires, ...known } = status ?? {};
  const condition = {
    type: 'Verified',
    status: result.success ? 'True' : 'False',
    reason: result.success ? 'Succeeded' : result.failure.code,
    message: verifyMessage(result),
    observedGeneration: metadata.generation ?? 0,
  } as const;
  return {
    ...known,
    ...(result.success ? result.outcome : {}),
    observedGeneration: metadata.generation ?? 0,
    lastVerified: now,
    conditions: setCondition(status?.conditions ?? [], condition, now),
  };
}
