import { humanSize } from '../human-size.ts';
import { setCondition, type Condition } from '../resources/meta.ts';
import type { RepositoryStatus, SyncTrigger, TagSiteStatus, TagStatus } from '../resources/repository.ts';
import { describeFailure } from '../failure.ts';
import { explain, type FailureFacts } from './failure-facts.ts';
import { onlyMetadata, primaryImage, waitOf, type RunIdentity, type SyncOutcome } from './outcome.ts';
import { addRecord, syncRecord } from './history.ts';
import type { SyncPlan } from './plan.ts';
import { siteStatuses } from './site-status.ts';
import { waitReason } from './site-wait.ts';
import type { GoneTag } from './survey.ts';
import { firstFailure, waitsOf, type ImageResult, type SiteResult } from './tally.ts';
import { addVersions } from './versions.ts';
import { describeOutcome, imageName, imagePath } from './words.ts';

/** The condition that `kubectl wait --for=condition=Synced` looks at. */
export const syncedCondition = 'Synced';
/** The condition of a Repository that asks for a signature. */
export const verifiedCondition = 'Verified';

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

/**
 * The status between two tries of a sync: that one failed, and why. Undefined where no sync is said to run, or it says so
 * already. Whether the image is synced stays as it was.
 */
export function failedTryStatus(
  before: RepositoryStatus | undefined,
  failure: FailureFacts,
  now: string,
): RepositoryStatus | undefined {
  const { conditions = [] } = before ?? {};
  const known = conditions.find(({ type }) => type === syncedCondition);
  if (before?.syncStatus !== 'Syncing' || known === undefined) return undefined;
  const en = describeFailure(failure.code, failure, 'en');
  const zh = describeFailure(failure.code, {}, 'zh');
  const message = `A try failed and is made again: ${en} / 本次尝试失败，即将重试：${zh}`;
  if (known.message === message) return undefined;
  return { ...before, conditions: setCondition(conditions, { ...known, reason: 'Retrying', message }, now) };
}

/** The status once the next try, number `tries`, goes on: what the last one failed of is over. Undefined where it does not say so. */
export function nextTryStatus(
  before: RepositoryStatus | undefined,
  plan: SyncPlan,
  tries: number,
  now: string,
): RepositoryStatus | undefined {
  const { conditions = [] } = before ?? {};
  const known = conditions.find(({ type }) => type === syncedCondition);
  if (before?.syncStatus !== 'Syncing' || known?.reason !== 'Retrying') return undefined;
  const message = `Syncing ${imageName(plan)} (try ${tries}) / 正在同步（第 ${tries} 次尝试）`;
  return { ...before, conditions: setCondition(conditions, { ...known, reason: 'Syncing', message }, now) };
}

/** The status after a sync ended. Applying the same outcome twice changes nothing more (fault N01). */
export function endedStatus(before: RepositoryStatus | undefined, outcome: SyncOutcome): RepositoryStatus {
  const known = before ?? {};
  const well = isComplete(outcome);
  const { domain, claim } = outcome.plan;
  const image = primaryImage(outcome);
  const syncStatus = syncStatusAfter(known, outcome);
  // Where what the last finished one said is left standing, its progress is.
  const progress = syncStatus === 'Success' ? '100%' : known.syncProgress;
  const manifest = outcome.manifest ?? known.manifest;
  const tags = tagStatuses(known.tags ?? [], outcome);
  return {
    ...known,
    observedGeneration: claim.generation,
    ...(domain === undefined ? {} : { domain }),
    image: imagePath(outcome.plan),
    syncStatus,
    ...(progress === undefined ? {} : { syncProgress: progress }),
    ...(well ? { lastSynced: outcome.ended } : {}),
    ...(well && image !== undefined ? { digest: image.digest } : {}),
    ...(manifest === undefined ? {} : { manifest }),
    sites: siteStatuses(known.sites ?? [], outcome),
    tags,
    versions: addVersions(known.versions ?? [], outcome),
    history: addRecord(known.history ?? [], syncRecord(outcome)),
    conditions: setCondition(
      verifiedAfter(known.conditions ?? [], outcome),
      syncedAfter(outcome),
      outcome.ended,
    ),
  };
}

/**
 * The status where it says that a sync runs, and none does: the run was ended from outside, so that it could not write how
 * it ended. `run` is what Temporal still knows of it.
 */
export function interruptedStatus(
  before: RepositoryStatus,
  run: RunIdentity | undefined,
  now: string,
): RepositoryStatus {
  const failure = { code: 'SyncInterrupted', side: 'cluster' } as const;
  const message = explain(failure);
  const known = before.conditions?.find(({ type }) => type === syncedCondition);
  const condition = {
    type: syncedCondition,
    status: 'False',
    reason: failure.code,
    message,
    ...(known?.observedGeneration === undefined ? {} : { observedGeneration: known.observedGeneration }),
  } as const;
  const record =
    run === undefined
      ? undefined
      : {
          id: run.runId,
          trigger: run.trigger,
          started: run.started,
          workflowId: run.workflowId,
          runId: run.runId,
          result: 'Failed' as const,
          ended: now,
          bytesMoved: 0,
          bytesReused: 0,
          reason: failure.code,
          message,
        };
  return {
    ...before,
    syncStatus: 'Failed',
    ...(record === undefined ? {} : { history: addRecord(before.history ?? [], record) }),
    conditions: setCondition(before.conditions ?? [], condition, now),
  };
}

const isComplete = ({ failure, result }: SyncOutcome): boolean =>
  failure === undefined && result !== 'Waiting';

/** A sync that was cancelled or that waits leaves what the last finished one said, since that is what the sites still have. */
function syncStatusAfter(
  before: RepositoryStatus,
  outcome: SyncOutcome,
): NonNullable<RepositoryStatus['syncStatus']> {
  if (outcome.result === 'Failed') return 'Failed';
  if (outcome.result !== 'Cancelled' && outcome.result !== 'Waiting') return 'Success';
  const unfinished = new Set<string>(['Cancelled', 'Waiting']);
  const last = before.history?.find(({ id, result }) => id !== outcome.run.runId && !unfinished.has(result));
  if (last === undefined) return '';
  return last.result === 'Failed' ? 'Failed' : 'Success';
}

/** Whether what was seen is signed as the Repository asks. A run that came to no image says nothing new about it. */
function verifiedAfter(conditions: readonly Condition[], outcome: SyncOutcome): readonly Condition[] {
  const others = conditions.filter(({ type }) => type !== verifiedCondition);
  if (outcome.plan.verification === undefined) return others;
  if (outcome.tally.images === 0) return conditions;
  const refused = outcome.tally.shown.find((image) => image.refused !== undefined)?.refused;
  const condition = {
    type: verifiedCondition,
    status: refused === undefined ? 'True' : 'False',
    reason: refused?.code ?? 'Succeeded',
    message: refused === undefined ? 'The signature is valid / 签名有效' : explain(refused),
    observedGeneration: outcome.plan.claim.generation,
  } as const;
  return setCondition(conditions, condition, outcome.ended);
}

function syncedAfter(outcome: SyncOutcome): Omit<Condition, 'lastTransitionTime'> {
  const good = onlyMetadata(outcome) ? 'NoSite' : outcome.result === 'Unchanged' ? 'Unchanged' : 'Succeeded';
  const waits = waitOf(outcome);
  const status = outcome.failure === undefined ? 'True' : 'False';
  return {
    type: syncedCondition,
    status: waits === undefined ? status : 'Unknown',
    reason: outcome.failure?.code ?? (waits === undefined ? good : waitReason(waits)),
    message: describeOutcome(outcome),
    observedGeneration: outcome.plan.claim.generation,
  };
}

/** One entry for each image shown, then the vanished ones; where the run ended before it saw any, what was known stays. */
function tagStatuses(before: readonly TagStatus[], outcome: SyncOutcome): readonly TagStatus[] {
  const { plan, tally, failure } = outcome;
  if (tally.images === 0) return failure?.code === 'TagNotFound' ? before.map(asGone(plan.tag)) : before;
  const whole = tally.shown.filter(({ partial }) => partial !== true);
  const shown = whole.map((image) => shownStatus(image, before, outcome));
  const gone = (tally.gone ?? []).filter(({ tag }) => shown.every((entry) => entry.tag !== tag));
  return [...shown, ...gone.map((entry) => goneStatus(entry, before))];
}

function shownStatus(image: ImageResult, before: readonly TagStatus[], { tally }: SyncOutcome): TagStatus {
  const bytes = image.bytesMoved + image.bytesReused;
  return {
    tag: image.tag,
    digest: image.digest,
    ...(bytes > 0 ? { size: humanSize(bytes) } : sizeOf(before, image.tag)),
    state: firstFailure(image) !== undefined ? 'Failed' : waitsOf(image).length > 0 ? 'Pending' : 'Synced',
    ...siteStates(image, tally.shown),
  };
}

const goneStatus = ({ tag, digest }: GoneTag, before: readonly TagStatus[]): TagStatus => ({
  tag,
  digest,
  ...sizeOf(before, tag),
  state: 'Gone',
});

const asGone =
  (tag: string) =>
  (entry: TagStatus): TagStatus =>
    entry.tag === tag ? { ...entry, state: 'Gone' } : entry;

/** How many sites a tag names. */
const shownSites = 10;

function siteStates(
  image: ImageResult,
  all: readonly ImageResult[],
): { readonly sites?: readonly TagSiteStatus[] } {
  const held = all.filter(({ tag, partial }) => tag === image.tag && partial === true);
  const sites = [image, ...held].flatMap((part) => part.sites.map((result) => siteState(result, image)));
  if (sites.length === 0) return {};
  const inTrouble = (entry: TagSiteStatus): number => (entry.state === 'Failed' ? 0 : 1);
  return { sites: sites.toSorted((a, b) => inTrouble(a) - inTrouble(b)).slice(0, shownSites) };
}

const siteState = ({ site, digest, failure }: SiteResult, image: ImageResult): TagSiteStatus => ({
  site,
  state: failure === undefined ? 'Synced' : 'Failed',
  ...(digest === undefined || digest === image.digest ? {} : { digest }),
  ...(failure === undefined ? {} : { reason: failure.code }),
});

function sizeOf(before: readonly TagStatus[], tag: string): { readonly size?: string } {
  const size = before.find((entry) => entry.tag === tag)?.size;
  return size === undefined ? {} : { size };
}
