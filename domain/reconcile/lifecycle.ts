import { asFailure } from '../failure.ts';
import { parseCron } from '../lifecycle/cron.ts';
import type { RollbackRequest } from '../lifecycle/rollback.ts';
import { annotationPrefix } from '../resources/meta.ts';
import type { ImageCleanupPolicy } from '../resources/image-cleanup-policy.ts';
import type { Repository } from '../resources/repository.ts';

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
  readonly problem?: string;
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
    return { problem: asFailure(error).message };
  }
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
