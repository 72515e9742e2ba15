import type { SiteStatus } from '../resources/repository.ts';
import { explain, type FailureFacts } from './failure-facts.ts';
import type { SyncOutcome } from './outcome.ts';
import { primaryImage } from './outcome.ts';
import type { PlannedSite } from './plan.ts';
import { explainWait, waitReason, type SiteWait } from './site-wait.ts';
import type { SiteResult } from './tally.ts';

/** Sites whose trouble is told in words, at most; of the others the reason's code tells (fault O16). */
const shownWords = 50;

/** One entry for each site of the plan, in the plan's order: connected, offline, missing. */
export function siteStatuses(before: readonly SiteStatus[], outcome: SyncOutcome): SiteStatus[] {
  const known = new Map(before.map((entry) => [entry.site, entry]));
  const { sites, offlineSites, missingSites } = outcome.plan;
  return inFewWords([
    ...sites.map((planned) => connectedSite(planned, known.get(planned.site), outcome)),
    ...offlineSites.map((site) => offlineSite(site, known.get(site), outcome)),
    ...missingSites.map((site) => missingSite(site)),
  ]);
}

function inFewWords(entries: readonly SiteStatus[]): SiteStatus[] {
  let told = 0;
  return entries.map((entry) => {
    if (entry.reason === undefined) return entry;
    told += 1;
    const { message: _message, ...short } = entry;
    return told > shownWords ? short : entry;
  });
}

function connectedSite(
  planned: PlannedSite,
  before: SiteStatus | undefined,
  outcome: SyncOutcome,
): SiteStatus {
  const { site, target } = planned;
  const results = outcome.tally.shown.flatMap((image) =>
    image.sites.filter((result) => result.site === site),
  );
  const failed = results.find((result) => result.failure !== undefined)?.failure;
  const waits = outcome.tally.waits?.find((wait) => wait.site === site);
  if (results.length > 0 && failed === undefined && waits === undefined)
    return synced(planned, before, results, outcome);
  const failure = failed ?? outcome.failure;
  const { digest, confirmed, source } = before ?? {};
  return {
    site,
    state: stateOf(failure, before),
    ...(target === undefined ? {} : { target }),
    ...(digest === undefined ? {} : { digest }),
    ...(confirmed === undefined ? {} : { confirmed }),
    ...(source === undefined ? {} : { source }),
    ...whyNot(failure, waits),
  };
}

function synced(
  { site, target }: Pick<PlannedSite, 'site' | 'target'>,
  before: SiteStatus | undefined,
  results: readonly SiteResult[],
  outcome: SyncOutcome,
): SiteStatus {
  const primary = primaryImage(outcome)?.sites.find((result) => result.site === site);
  const digest = primary?.digest ?? results[0]?.digest;
  // What was there already came from where it came from then.
  const source = (primary ?? results[0])?.source ?? (before?.digest === digest ? before?.source : undefined);
  return {
    site,
    state: 'Synced',
    ...(target === undefined ? {} : { target }),
    ...(digest === undefined ? {} : { digest }),
    confirmed: outcome.ended,
    ...(source === undefined ? {} : { source }),
  };
}

function whyNot(
  failure: FailureFacts | undefined,
  waits: SiteWait | undefined,
): Pick<SiteStatus, 'reason' | 'message'> {
  if (failure !== undefined) return { reason: failure.code, message: explain(failure) };
  return waits === undefined ? {} : { reason: waitReason(waits), message: explainWait(waits) };
}

/** A run that never got to a site says nothing new about it, unless the site had nothing before. */
function stateOf(failure: FailureFacts | undefined, before: SiteStatus | undefined): SiteStatus['state'] {
  if (failure?.code === 'Cancelled') return before?.digest === undefined ? 'Pending' : 'Synced';
  return failure === undefined ? 'Pending' : 'Failed';
}

/** Bundles bring the image there; until one with this digest is staged, the site waits. */
function offlineSite(site: string, before: SiteStatus | undefined, outcome: SyncOutcome): SiteStatus {
  const wanted = primaryImage(outcome)?.digest;
  const isBundled = before !== undefined && before.target === undefined;
  if (isBundled && (wanted === undefined || before.digest === wanted)) return before;
  return {
    site,
    state: 'Pending',
    ...(before?.digest === undefined ? {} : { digest: before.digest }),
    message: 'Waits for the next bundle / 等待下一个离线包',
  };
}

function missingSite(site: string): SiteStatus {
  const failure = { code: 'SiteNotFound', subject: site } as const;
  return { site, state: 'Failed', reason: failure.code, message: explain(failure) };
}
