import { asFailure } from '../failure.ts';
import { parseCron } from '../lifecycle/cron.ts';
import type { RollbackRequest } from '../lifecycle/rollback.ts';
import { annotationPrefix, setCondition } from '../resources/meta.ts';
import type { ImageCleanupPolicy, ImageCleanupPolicyStatus } from '../resources/image-cleanup-policy.ts';
import type { Repository } from '../resources/repository.ts';
import { explain, factsOf, type FailureFacts } from '../sync/failure-facts.ts';

/** Annotation whose value, a digest or `previous`, starts a rollback; it is taken away when the rollback has started. */
export const rollbackAnnotation = `${annotationPrefix}rollback-to`;
/** Annotation beside {@link rollbackAnnotation}: sites, with commas between them, at which it happens. Default: all. */
export const rollbackSitesAnnotation = `${annotationPrefix}rollback-sites`;
/** Annotation beside {@link rollbackAnnotation}: the tag that is rolled back. Default: `spec.tag`. */
export const rollbackTagAnnotation = `${annotationPrefix}rollback-tag`;
/** Annotation of a policy whose value, the plan's hash, approves that plan. */
export const approveAnnotation = `${annotationPrefix}approve-plan`;
/** Annotation of a policy that starts a cleanup, whatever its value. */
export const runAnnotation = `${annotationPrefix}run-cleanup`;

/** Annotations that were acted on, to be taken away by a merge patch. */
export type HandledAnnotations = Readonly<Record<string, null>>;

/** What a policy asks for. */
export interface CleanupWish {
  /** Default: no schedule. */
  readonly cron?: string;
  /** Why the schedule cannot be kept. */
  readonly problem?: FailureFacts;
  readonly run: boolean;
  readonly approve?: string;
  readonly handled: HandledAnnotations;
}

/** Reads what a policy asks for. */
export function cleanupWish({ spec, metadata }: ImageCleanupPolicy): CleanupWish {
  const annotations = metadata.annotations ?? {};
  const approve = annotations[approveAnnotation];
  const run = annotations[runAnnotation] !== undefined;
  return {
    ...schedule(spec.schedule),
    run,
    ...(approve === undefined ? {} : { approve }),
    handled: {
      ...(run ? { [runAnnotation]: null } : {}),
      ...(approve === undefined ? {} : { [approveAnnotation]: null }),
    },
  };
}

function schedule(text: string | undefined): Pick<CleanupWish, 'cron' | 'problem'> {
  if (text === undefined) return {};
  try {
    return { cron: parseCron(text) };
  } catch (error) {
    return { problem: factsOf(asFailure(error)) };
  }
}

/**
 * The policy's status with the condition `Scheduled`, which is there only once its schedule could not be kept; undefined
 * where it says so already. `now` is RFC 3339 UTC.
 */
export function scheduledStatus(
  { status = {}, metadata }: ImageCleanupPolicy,
  problem: FailureFacts | undefined,
  now: string,
): ImageCleanupPolicyStatus | undefined {
  const { conditions = [] } = status;
  const known = conditions.find(({ type }) => type === 'Scheduled');
  if (known === undefined && problem === undefined) return undefined;
  const message = problem === undefined ? 'Its schedule is kept / 按计划执行' : explain(problem);
  if (known?.message === message) return undefined;
  const condition = {
    type: 'Scheduled',
    status: problem === undefined ? ('True' as const) : ('False' as const),
    reason: problem?.code ?? 'Active',
    message,
    observedGeneration: metadata.generation ?? 0,
  };
  return { ...status, conditions: setCondition(conditions, condition, now) };
}

/** What a Repository asks to be rolled back to; undefined where it asks for nothing. */
export function rollbackWish({
  metadata,
}: Repository): { readonly request: RollbackRequest; readonly handled: HandledAnnotations } | undefined {
  const { annotations = {} } = metadata;
  const value = annotations[rollbackAnnotation];
  if (value === undefined || metadata.deletionTimestamp !== undefined) return undefined;
  const tag = annotations[rollbackTagAnnotation];
  const sites = (annotations[rollbackSitesAnnotation] ?? '').split(',').map((name) => name.trim());
  const named = sites.filter((name) => name !== '');
  return {
    request: {
      ...(value === 'previous' ? {} : { digest: value }),
      ...(tag === undefined ? {} : { tag }),
      ...(named.length === 0 ? {} : { sites: named }),
    },
    handled: {
      [rollbackAnnotation]: null,
      [rollbackTagAnnotation]: null,
      [rollbackSitesAnnotation]: null,
    },
  };
}
