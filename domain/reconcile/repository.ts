import { parseDuration } from '../duration.ts';
import { annotationPrefix } from '../resources/meta.ts';
import type { Repository, SyncTrigger } from '../resources/repository.ts';

/** What a Repository asks for, as it stands. */
export interface RepositoryWish {
  /** How often it is synced by itself. */
  readonly schedule: { readonly everyMs: number; readonly paused: boolean };
  /** Why a sync should start now. Default: none should. */
  readonly start?: SyncTrigger;
  /** Whether a sync that runs should stop. */
  readonly cancel: boolean;
  /** Annotations that say which requests were acted on, to be written once they were. */
  readonly handled: Readonly<Record<string, string>>;
}

/** Default of `spec.syncInterval`. */
const defaultIntervalMs = 3_600_000;

const manual = {
  request: `${annotationPrefix}manual-sync`,
  answer: `${annotationPrefix}manual-sync-handled`,
};
const cancel = {
  request: `${annotationPrefix}cancel-sync`,
  answer: `${annotationPrefix}cancel-sync-handled`,
};

/**
 * Decides what a Repository asks for: a sync when it was never synced, when its spec changed since, and when
 * `manual-sync` has a value that was not acted on yet. A request that was acted on is remembered in an annotation, so
 * that a restart does not repeat it. A malformed interval, which the CRD refuses, counts as the default.
 */
export function repositoryWish({ metadata, spec, status }: Repository): RepositoryWish {
  const annotations = metadata.annotations ?? {};
  const asked = (kind: typeof manual): boolean => {
    const value = annotations[kind.request] ?? '';
    return value !== '' && value !== annotations[kind.answer];
  };
  const start = trigger(asked(manual), status?.observedGeneration, metadata.generation ?? 1);
  const handled = [manual, cancel]
    .filter(asked)
    .map(({ request, answer }) => [answer, annotations[request] ?? '']);
  return {
    schedule: { everyMs: interval(spec.syncInterval), paused: spec.suspend === true },
    ...(start === undefined ? {} : { start }),
    cancel: asked(cancel),
    handled: Object.fromEntries(handled),
  };
}

function trigger(asked: boolean, observed: number | undefined, generation: number): SyncTrigger | undefined {
  if (asked) return 'manual';
  if (observed === undefined) return 'create';
  return observed < generation ? 'spec' : undefined;
}

function interval(text: string | undefined): number {
  if (text === undefined) return defaultIntervalMs;
  try {
    return parseDuration(text);
  } catch {
    return defaultIntervalMs;
  }
}
