import { isCancellation, patched, workflowInfo } from '@temporalio/workflow';
import type { SyncTrigger } from '../domain/resources/repository.ts';
import type { FailureFacts } from '../domain/sync/failure-facts.ts';
import type { SyncResume } from '../domain/sync/input.ts';
import type { SyncPlan } from '../domain/sync/plan.ts';
import type { Survey, SurveyedImage } from '../domain/sync/survey.ts';
import {
  addImage,
  addUnchanged,
  emptyTally,
  refusedImage,
  type ImageResult,
  type Tally,
} from '../domain/sync/tally.ts';
import { copyToSites } from './copy-to-sites.ts';
import type { FirstLook } from '../activities/look-on-schedule.ts';
import { factsOfError, workflowFailure } from './failure.ts';
import { ImageWindow } from './image-window.ts';
import { withRetries } from './retries.ts';
import { cluster, registry } from './steps.ts';
import type { SyncClock } from './sync-clock.ts';
import type { SyncStory } from './sync-story.ts';

/** Copies under way at once; far below Temporal's limit of pending activities. */
const copiesAtOnce = 16;

/** What a run brings along while it goes through its images. */
export interface Journey {
  readonly plan: SyncPlan;
  readonly trigger: SyncTrigger;
  /** When the whole sync began, RFC 3339 UTC. */
  readonly started: string;
  readonly story: SyncStory;
  readonly clock: SyncClock;
  /** What was done so far; kept here so that a run that is stopped half-way still says so. */
  tally: Tally;
  /** The image that the status is about, else the first one seen. */
  first: Pick<SurveyedImage, 'tag' | 'root'> | undefined;
  /** Set once the status says that a sync runs. */
  announced: boolean;
  /** Id of the first run, where this is a later one. */
  readonly begun?: string;
  /** What the first step saw already; taken once. */
  look?: FirstLook;
}

/**
 * Compares page by page, and copies what differs with a bounded number of copies at once. Returns where to go on once the
 * history has grown long.
 */
export async function bringImages(journey: Journey, resume?: SyncResume): Promise<string | undefined> {
  journey.tally = resume?.tally ?? emptyTally;
  journey.first = resume?.first;
  const lanes = Math.max(1, Math.floor(copiesAtOnce / Math.max(1, journey.plan.sites.length)));
  const isLong = (): boolean => workflowInfo().continueAsNewSuggested;
  const first = await compare(journey, resume?.after);
  // A sync without a further page needs no more lanes than it has images.
  if (first.next === undefined) {
    await bringPage(journey, first, lanes);
    return undefined;
  }
  // Runs that began before there was a window wait for each page to end.
  if (!patched('image-window')) return bringPages(journey, first, lanes, isLong);
  const window = new ImageWindow(lanes, (after) => compare(journey, after));
  window.add(first);
  await inLanes(journey, lanes, () => window.take(isLong));
  return window.next;
}

async function bringPages(
  journey: Journey,
  first: Survey,
  lanes: number,
  isLong: () => boolean,
): Promise<string | undefined> {
  for (let page = first; ; page = await compare(journey, page.next)) {
    await bringPage(journey, page, lanes);
    if (page.next === undefined || isLong()) return page.next;
  }
}

async function bringPage(journey: Journey, { images }: Survey, lanes: number): Promise<void> {
  const waiting = [...images];
  await inLanes(journey, Math.min(lanes, images.length), async () => waiting.shift());
}

/** Brings what `take` gives, so many images at once. */
async function inLanes(
  journey: Journey,
  count: number,
  take: () => Promise<SurveyedImage | undefined>,
): Promise<void> {
  const lane = async (): Promise<void> => {
    for (let image = await take(); image !== undefined; image = await take()) {
      const result = await bringImage(journey, image);
      // Read the tally only now: other lanes have added to it meanwhile.
      journey.tally = addImage(journey.tally, result, journey.plan.tag);
      journey.story.tell({ images: journey.tally.images });
    }
  };
  await Promise.all(Array.from({ length: count }, lane));
}

/** The one request per tag and place of an unchanged sync. */
async function compare(journey: Journey, after: string | undefined): Promise<Survey> {
  const { plan, trigger, started, story, begun } = journey;
  story.tell({ phase: 'comparing' });
  const order = {
    plan,
    trigger,
    started,
    ...(after === undefined ? {} : { after }),
    ...(begun === undefined ? {} : { begun }),
  };
  const survey = await withRetries(
    plan.retry,
    async (tries) => seen(journey) ?? registry.surveyImages({ ...order, tries }),
  );
  const copies = survey.images.reduce((sum, image) => sum + image.needed.length, 0);
  remember(journey, survey);
  story.tell({
    totalImages: survey.total,
    images: journey.tally.images,
    copies: story.progress.copies + copies,
  });
  if (copies > 0) await announce(journey);
  story.tell({ phase: 'copying' });
  return survey;
}

/** The first page, or what stood against it, where the run's first step looked already. */
function seen(journey: Journey): Survey | undefined {
  const { look } = journey;
  delete journey.look;
  if (look?.trouble !== undefined) throw workflowFailure(look.trouble);
  return look?.survey;
}

/** What a page says besides what has to be copied. */
function remember(journey: Journey, { images, unchanged = 0, gone = [] }: Survey): void {
  const main = images.find(({ tag, partial }) => tag === journey.plan.tag && partial !== true);
  journey.first = main ?? journey.first ?? images[0];
  journey.tally = addUnchanged(journey.tally, unchanged);
  if (gone.length > 0) journey.tally = { ...journey.tally, gone };
}

/** Says in the status that a sync runs; a scheduled one says it only once there is something to do. */
export async function announce(journey: Journey): Promise<void> {
  if (journey.announced) return;
  journey.announced = true;
  await cluster.beginSync(journey.plan, journey.trigger, journey.begun);
}

/** One image to every site that lacks it, once its signature is proven; a site that fails does not stop the others. */
async function bringImage(journey: Journey, image: SurveyedImage): Promise<ImageResult> {
  const refused = await unsigned(journey, image);
  if (refused !== undefined) {
    journey.story.tell({ copiesDone: journey.story.progress.copiesDone + image.needed.length });
    return refusedImage(image, refused);
  }
  const copied = await copyToSites(journey, image);
  return {
    tag: image.tag,
    digest: image.root.digest,
    sites: [...image.current, ...copied.map(({ result }) => result)],
    bytesMoved: copied.reduce((sum, { moved }) => sum + moved, 0),
    bytesReused: copied.reduce((sum, { reused }) => sum + reused, 0),
    changed: copied.some(({ result }) => result.failure === undefined && result.waits === undefined),
    ...(image.partial === true ? { partial: true } : {}),
  };
}

/** Why this very digest may not be published; nothing is asked where the Repository asks for no signature. */
async function unsigned({ plan }: Journey, { root }: SurveyedImage): Promise<FailureFacts | undefined> {
  if (plan.verification === undefined) return undefined;
  try {
    await withRetries(plan.retry, (tries) => registry.verifySignature({ plan, root, tries }));
    return undefined;
  } catch (error) {
    if (isCancellation(error)) throw error;
    return factsOfError(error);
  }
}
