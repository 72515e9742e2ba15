import { parseDuration } from '../duration.ts';
import { annotationPrefix } from '../resources/meta.ts';
import type { EdgeSite } from '../resources/edge-site.ts';
import type { Repository, SyncTrigger } from '../resources/repository.ts';
import { wantedOf } from '../sync/plan.ts';
import { sitesMoved, wantedTargets } from '../sync/site-choice.ts';

/** What a Repository asks for, as it stands. */
export interface RepositoryWish {
  /** How often it is synced by itself. */
  readonly schedule: { readonly everyMs: number; readonly paused: boolean };
  /** Why a sync should start now. Default: none should. */
  readonly start?: SyncTrigger;
  /** What tells this request from the next of its kind, so that asking twice starts one sync. Default: the status tells. */
  readonly request?: string;
  /** What is wanted by now, where a sync runs that began before the last edit: it is told once. Default: it knows. */
  readonly edited?: string;
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
/** The same, and it does not wait for a sync window. */
const urgent = {
  request: `${annotationPrefix}manual-sync-now`,
  answer: `${annotationPrefix}manual-sync-now-handled`,
};
const cancel = {
  request: `${annotationPrefix}cancel-sync`,
  answer: `${annotationPrefix}cancel-sync-handled`,
};

/**
 * Decides what a Repository asks for: a sync when it was never synced, when its spec or its sites changed since, and when
 * `manual-sync` or `manual-sync-now` has a value that was not acted on yet. A request that was acted on is remembered in an annotation, so
 * that a restart does not repeat it. A malformed interval, which the CRD refuses, counts as the default.
 */
export function repositoryWish(repository: Repository, sites: readonly EdgeSite[]): RepositoryWish {
  const { metadata, spec } = repository;
  const annotations = metadata.annotations ?? {};
  const asked = (kind: typeof manual): boolean => {
    const value = annotations[kind.request] ?? '';
    return value !== '' && value !== annotations[kind.answer];
  };
  const start = triggerOf(repository, requested(asked), sites);
  const handled = [urgent, manual, cancel]
    .filter(asked)
    .map(({ request, answer }) => [answer, annotations[request] ?? '']);
  return {
    schedule: { everyMs: interval(spec.syncInterval), paused: spec.suspend === true },
    ...(start === undefined ? {} : { start }),
    ...requestOf(start, repository, sites),
    ...editedUnderRun(repository),
    cancel: asked(cancel),
    handled: Object.fromEntries(handled),
  };
}

/** Whether anything is to be done besides keeping the schedule. */
export const asksForAction = (wish: RepositoryWish): boolean =>
  wish.start !== undefined || wish.cancel || Object.keys(wish.handled).length > 0;

function requestOf(
  start: SyncTrigger | undefined,
  { metadata, spec }: Repository,
  sites: readonly EdgeSite[],
): { readonly request?: string } {
  if (start === 'manual' || start === 'urgent') {
    const kind = start === 'manual' ? manual : urgent;
    return { request: `${metadata.uid} ${metadata.annotations?.[kind.request]}` };
  }
  // What is known of the sites may be behind what the last run saw: that must not make it run again and again.
  if (start === 'site')
    return { request: `${metadata.uid} ${JSON.stringify([...wantedTargets(spec, sites)])}` };
  return {};
}

function editedUnderRun({ status, metadata, spec }: Repository): { readonly edited?: string } {
  const isBehind = (status?.observedGeneration ?? Infinity) < (metadata.generation ?? 1);
  return status?.syncStatus === 'Syncing' && isBehind ? { edited: wantedOf(spec) } : {};
}

function requested(asked: (kind: typeof manual) => boolean): SyncTrigger | undefined {
  if (asked(urgent)) return 'urgent';
  return asked(manual) ? 'manual' : undefined;
}

function triggerOf(
  repository: Repository,
  asked: SyncTrigger | undefined,
  sites: readonly EdgeSite[],
): SyncTrigger | undefined {
  const { status, metadata } = repository;
  const observed = status?.observedGeneration;
  if (asked !== undefined) return asked;
  if (observed === undefined) return 'create';
  // A run under way may have begun before the change: it is told, once, and what it leaves is looked at when it has ended. Else
  // each write of its progress would be one more signal in its history, and a long copy has thousands of them.
  if (status?.syncStatus === 'Syncing') return undefined;
  if (observed < (metadata.generation ?? 1)) return 'spec';
  return sitesMoved(repository, sites) ? 'site' : undefined;
}

function interval(text: string | undefined): number {
  if (text === undefined) return defaultIntervalMs;
  try {
    return parseDuration(text);
  } catch {
    return defaultIntervalMs;
  }
}
