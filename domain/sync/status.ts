import { humanSize } from '../human-size.ts';
import { setCondition, type Condition } from '../resources/meta.ts';
import type { RepositoryStatus, SyncTrigger, TagStatus } from '../resources/repository.ts';
import { onlyMetadata, primaryImage, type SyncOutcome } from './outcome.ts';
import { addRecord, syncRecord } from './history.ts';
import type { SyncPlan } from './plan.ts';
import { siteStatuses } from './site-status.ts';
import { firstFailure } from './tally.ts';
import { addVersions } from './versions.ts';
import { describeOutcome, imageName, imagePath } from './words.ts';

/** The condition that `kubectl wait --for=condition=Synced` looks at. */
export const syncedCondition = 'Synced';

/** The status while a sync runs: what is known from before stays. `now` is RFC 3339 UTC. */
export function syncingStatus(
  before: RepositoryStatus | undefined,
  plan: SyncPlan,
  trigger: SyncTrigger,
  now: string,
): RepositoryStatus {
  const { conditions = [], ...rest } = before ?? {};
  const message = `Syncing ${imageName(plan)} (${trigger}) / 正在同步`;
  const known = conditions.find(({ type }) => type === syncedCondition);
  const condition = {
    type: syncedCondition,
    status: known?.status ?? 'Unknown',
    reason: 'Syncing',
    message,
    observedGeneration: plan.claim.generation,
  } as const;
  return {
    ...rest,
    observedGeneration: plan.claim.generation,
    ...(plan.domain === undefined ? {} : { domain: plan.domain }),
    image: imagePath(plan),
    syncStatus: 'Syncing',
    syncProgress: '0%',
    conditions: setCondition(conditions, condition, now),
  };
}

/** The status after a sync ended. Applying the same outcome twice changes nothing more (fault N01). */
export function endedStatus(before: RepositoryStatus | undefined, outcome: SyncOutcome): RepositoryStatus {
  const known = before ?? {};
  const well = outcome.failure === undefined;
  const { domain, claim } = outcome.plan;
  const image = primaryImage(outcome);
  const progress = well ? '100%' : known.syncProgress;
  const manifest = outcome.manifest ?? known.manifest;
  const tags = tagStatuses(known.tags ?? [], outcome);
  return {
    ...known,
    observedGeneration: claim.generation,
    ...(domain === undefined ? {} : { domain }),
    image: imagePath(outcome.plan),
    syncStatus: syncStatusAfter(known, outcome),
    ...(progress === undefined ? {} : { syncProgress: progress }),
    ...(well ? { lastSynced: outcome.ended } : {}),
    ...(well && image !== undefined ? { digest: image.digest } : {}),
    ...(manifest === undefined ? {} : { manifest }),
    sites: siteStatuses(known.sites ?? [], outcome),
    tags,
    versions: addVersions(known.versions ?? [], outcome),
    history: addRecord(known.history ?? [], syncRecord(outcome)),
    conditions: setCondition(known.conditions ?? [], syncedAfter(outcome), outcome.ended),
  };
}

/** A cancelled sync leaves what the last finished one said, since that is what the sites still have. */
function syncStatusAfter(
  before: RepositoryStatus,
  outcome: SyncOutcome,
): NonNullable<RepositoryStatus['syncStatus']> {
  if (outcome.result === 'Failed') return 'Failed';
  if (outcome.result !== 'Cancelled') return 'Success';
  const last = before.history?.find(({ id, result }) => id !== outcome.run.runId && result !== 'Cancelled');
  if (last === undefined) return '';
  return last.result === 'Failed' ? 'Failed' : 'Success';
}

function syncedAfter(outcome: SyncOutcome): Omit<Condition, 'lastTransitionTime'> {
  const good = onlyMetadata(outcome) ? 'NoSite' : outcome.result === 'Unchanged' ? 'Unchanged' : 'Succeeded';
  return {
    type: syncedCondition,
    status: outcome.failure === undefined ? 'True' : 'False',
    reason: outcome.failure?.code ?? good,
    message: describeOutcome(outcome),
    observedGeneration: outcome.plan.claim.generation,
  };
}

/** One entry for each image shown; where the run ended before it saw any, what was known stays. */
function tagStatuses(before: readonly TagStatus[], outcome: SyncOutcome): readonly TagStatus[] {
  if (outcome.tally.images === 0) return before;
  return outcome.tally.shown.map((image) => ({
    tag: image.tag,
    digest: image.digest,
    ...(image.bytesMoved + image.bytesReused > 0
      ? { size: humanSize(image.bytesMoved + image.bytesReused) }
      : sizeOf(before, image.tag)),
    state: firstFailure(image) === undefined ? 'Synced' : 'Failed',
  }));
}

function sizeOf(before: readonly TagStatus[], tag: string): { readonly size?: string } {
  const size = before.find((entry) => entry.tag === tag)?.size;
  return size === undefined ? {} : { size };
}
