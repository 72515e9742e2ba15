import {
  CancellationScope,
  CancelledFailure,
  makeContinueAsNewFunc,
  workflowInfo,
} from '@temporalio/workflow';
import type { Recorded } from '../activities/sync-record.ts';
import type { ObjectRef } from '../domain/resources/meta.ts';
import type { ManifestStatus, SyncTrigger } from '../domain/resources/repository.ts';
import { requestMemo, type SyncInput, type SyncReport, type SyncResume } from '../domain/sync/input.ts';
import { judge, primaryImage, type Ending, type SyncOutcome } from '../domain/sync/outcome.ts';
import { emptyTally, waitsOf } from '../domain/sync/tally.ts';
import { hearAskedAgain, type AskedAgain } from './asked-again.ts';
import { announce, bringImages, type Journey } from './bring-images.ts';
import { workflowFailure } from './failure.ts';
import { prune } from './prune.ts';
import { firstLook, quietEnd } from './first-look.ts';
import { withRetries } from './retries.ts';
import { hearSiteTerms } from './site-terms.ts';
import { cluster, registry } from './steps.ts';
import { SyncClock } from './sync-clock.ts';
import { beginStory, findableBy, now, showPlan, thisRun } from './sync-story.ts';
import { whileWanted } from './while-wanted.ts';

/**
 * Brings one Repository's images to its sites: plan, resolve and compare, copy what changed, read back, status and
 * Event. Ends as failed where the sync failed and as cancelled where it was cancelled; the status says the same.
 */
export async function syncRepository(input: SyncInput): Promise<SyncReport> {
  const { ref, trigger, resume } = input;
  const story = beginStory();
  hearSiteTerms();
  const again = hearAskedAgain(story, resume?.again);
  const started = resume?.started ?? now();
  const look = await firstLook(input, started, again);
  if (look === undefined) return gone;
  const { plan } = look;
  // The tags before were looked at for something else.
  if (resume?.wanted !== undefined && resume.wanted !== plan.claim.wanted) again.trigger ??= 'spec';
  showPlan(plan, trigger);
  const quiet = quietEnd(look, thisRun(trigger, started));
  if (quiet !== undefined) return finish(ref, quiet.outcome, quiet.recorded, again);

  const journey = beginJourney({ plan, trigger, started, story, look }, resume);
  const { ending, next } = await travel(journey, again, resume);
  if (next !== undefined) {
    return inNewRun(workflowInfo().memo, {
      ref,
      trigger,
      resume: goOn(journey, next, again.trigger),
    });
  }

  story.tell({ phase: 'recording' });
  const outcome = judge(plan, thisRun(trigger, started, resume?.begun), ending, now());
  const recorded = await CancellationScope.nonCancellable(() => cluster.recordSync(outcome));
  await queueUp(ref, outcome);
  return finish(ref, outcome, recorded, again);
}

/** What follows once the end is written down. */
async function finish(
  ref: ObjectRef,
  outcome: SyncOutcome,
  recorded: Recorded,
  again: Readonly<AskedAgain>,
): Promise<SyncReport> {
  const { plan } = outcome;
  if (plan.prunes === true && outcome.failure === undefined) await prune(ref);
  const asked = again.trigger ?? (recorded.changed ? 'spec' : undefined);
  if (asked !== undefined && outcome.result !== 'Cancelled') {
    return onceMore(again.request, { ref, trigger: asked });
  }
  return conclude(outcome);
}

/** Goes on in a new run that remembers the request it is for, so that the request is not served twice. */
function onceMore(request: string | undefined, input: SyncInput): Promise<never> {
  return inNewRun(request === undefined ? workflowInfo().memo : { [requestMemo]: request }, input);
}

/** The memo is written again: one that Temporal takes along stays sealed with a key that may be gone before the new run is. */
function inNewRun(memo: Readonly<Record<string, unknown>> | undefined, input: SyncInput): Promise<never> {
  return makeContinueAsNewFunc<typeof syncRepository>(memo === undefined ? {} : { memo: { ...memo } })(input);
}

/** What the next run has to know of this one. */
function goOn(journey: Journey, after: string, again: SyncTrigger | undefined): SyncResume {
  const { plan, started, tally, first, clock, begun = workflowInfo().runId } = journey;
  return {
    started,
    begun,
    after,
    tally,
    wanted: plan.claim.wanted,
    ...(first === undefined ? {} : { first: { tag: first.tag, root: first.root } }),
    ...(clock.givenBackMs === 0 ? {} : { givenBackMs: clock.givenBackMs }),
    ...(again === undefined ? {} : { again }),
  };
}

function beginJourney(
  known: Pick<Journey, 'plan' | 'trigger' | 'started' | 'story' | 'look'>,
  resume: SyncResume | undefined,
): Journey {
  const begun = resume?.begun === undefined ? {} : { begun: resume.begun };
  const clock = new SyncClock(known.plan, known.started, resume?.givenBackMs);
  return { ...known, clock, tally: emptyTally, first: undefined, announced: resume !== undefined, ...begun };
}

/** Leaves the Repository at the desks of the sites that it waits for. */
async function queueUp(ref: ObjectRef, { result, tally: { waits = [] } }: SyncOutcome): Promise<void> {
  if (result !== 'Cancelled' && waits.length > 0) await cluster.waitAtSites(ref, waits);
}

const gone: SyncReport = { result: 'Gone', images: 0, changed: 0, bytesMoved: 0, bytesReused: 0 };

interface Travelled {
  readonly ending: Ending;
  /** Where a new run goes on. */
  readonly next?: string;
}

/** The part that may fail, run out of time or be cancelled; whatever happens, it tells how far it got. */
async function travel(
  journey: Journey,
  again: Readonly<AskedAgain>,
  resume: SyncResume | undefined,
): Promise<Travelled> {
  const { plan, clock } = journey;
  let manifest: ManifestStatus | undefined;
  let next: string | undefined;
  const failure = await clock.inTime(async () => {
    if (journey.trigger !== 'schedule') await announce(journey);
    if (plan.problem !== undefined) throw workflowFailure(plan.problem);
    next = await whileWanted(plan.claim, again, clock, () => bringImages(journey, resume));
    if (next === undefined) manifest = await describe(journey);
  });
  return {
    ending: {
      tally: journey.tally,
      ...(failure === undefined ? {} : { failure }),
      ...(manifest === undefined ? {} : { manifest }),
    },
    ...(next === undefined || failure !== undefined ? {} : { next }),
  };
}

/** Details of an image that is new; read at a site that has it, since upstream counts that as a pull. */
async function describe({ plan, first, tally, story }: Journey): Promise<ManifestStatus | undefined> {
  const image = primaryImage({ plan, tally });
  if (first === undefined || image === undefined || first.tag !== image.tag) return undefined;
  findableBy('digest', image.digest);
  if (plan.described === image.digest || waitsOf(image).length > 0) return undefined;
  story.tell({ phase: 'describing' });
  const site = image.sites.find((result) => result.digest === image.digest)?.site;
  const order = { plan, root: first.root, ...(site === undefined ? {} : { site }) };
  return withRetries(plan.retry, (tries) => registry.describeImage({ ...order, tries }));
}

function conclude(outcome: SyncOutcome): SyncReport {
  const { failure, result, tally } = outcome;
  if (failure?.code === 'Cancelled') throw new CancelledFailure('The sync was cancelled');
  if (failure !== undefined || result === 'Failed' || result === 'Cancelled') {
    throw workflowFailure(failure ?? { code: 'Internal' });
  }
  const digest = primaryImage(outcome)?.digest;
  const { images, changed, bytesMoved, bytesReused } = tally;
  return { result, images, changed, ...(digest === undefined ? {} : { digest }), bytesMoved, bytesReused };
}
