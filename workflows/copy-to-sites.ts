import { isCancellation, patched, sleep } from '@temporalio/workflow';
import type { SiteCopy } from '../activities/copy-to-sites.ts';
import type { Pause } from '../activities/window-gate.ts';
import { inWindow } from '../domain/in-window.ts';
import type { SyncTrigger } from '../domain/resources/repository.ts';
import { someNames } from '../domain/some-names.ts';
import { explain, type FailureFacts } from '../domain/sync/failure-facts.ts';
import { copyTaskQueue } from '../domain/sync/ids.ts';
import { planFor, sitePatience, type SyncPlan } from '../domain/sync/plan.ts';
import type { CopyPosition } from '../domain/sync/progress.ts';
import { nextTry } from '../domain/sync/retry.ts';
import type { SiteWait } from '../domain/sync/site-wait.ts';
import type { SurveyedImage } from '../domain/sync/survey.ts';
import type { SiteResult, Tally } from '../domain/sync/tally.ts';
import { factsOfError } from './failure.ts';
import { withRetries } from './retries.ts';
import { copying } from './steps.ts';
import type { SyncClock } from './sync-clock.ts';
import type { SyncStory } from './sync-story.ts';

/** What copying needs to know of the run that it is part of. */
export interface CopyJourney {
  readonly plan: SyncPlan;
  readonly trigger: SyncTrigger;
  readonly story: SyncStory;
  readonly clock: SyncClock;
  readonly tally: Tally;
}

/** What became of one image at one site. */
export interface Copied {
  readonly result: SiteResult;
  readonly moved: number;
  readonly reused: number;
}

type CopyReport = Extract<SiteCopy, { readonly report: unknown }>['report'];

/** Sites that share one read of an image, at most: each holds a connection of its own meanwhile. */
const mostTogether = 32;
/** Sites whose own workers are asked at once, at most: Temporal keeps 2,000 open steps of a run (fault N06). */
const mostAsked = 500;

/**
 * One image to every site that lacks it, in their order; a site that fails does not stop the others. Sites that the hub
 * copies to share one read of the image; runs that began before there was that read it once for each.
 */
export async function copyToSites(journey: CopyJourney, image: SurveyedImage): Promise<readonly Copied[]> {
  const { needed } = image;
  if (needed.length > mostTogether && patched('sites-in-groups')) return copyToCrowd(journey, image);
  const together = needed.filter((site) => isReachedFromHub(journey, site)).slice(0, mostTogether);
  if (together.length < 2 || !patched('one-read-for-many-sites'))
    return Promise.all(needed.map((site) => copyTo(journey, image, site)));
  const alone = needed.filter((site) => !together.includes(site));
  const [many, ...rest] = await Promise.all([
    copyTogether(journey, image, together),
    ...alone.map((site) => copyTo(journey, image, site)),
  ]);
  return inOrder(image, [...many, ...rest]);
}

/** The same for any number of sites: those that the hub copies to share a read in groups. */
async function copyToCrowd(journey: CopyJourney, image: SurveyedImage): Promise<readonly Copied[]> {
  const { together = [], alone = [] } = Object.groupBy(image.needed, (site) =>
    isReachedFromHub(journey, site) ? 'together' : 'alone',
  );
  const groups = Array.from({ length: Math.ceil(together.length / mostTogether) }, (_, index) =>
    together.slice(index * mostTogether, (index + 1) * mostTogether),
  );
  const [shared, rest] = await Promise.all([
    Promise.all(groups.map((sites) => copyTogether(journey, image, sites))),
    inWindow(alone, mostAsked, (site) => copyTo(journey, image, site)),
  ]);
  return inOrder(image, [...shared.flat(), ...rest]);
}

/** As the image names its sites. */
function inOrder({ needed }: SurveyedImage, copied: readonly Copied[]): readonly Copied[] {
  const places = new Map(needed.map((site, index) => [site, index]));
  const placeOf = ({ result }: Copied): number => places.get(result.site) ?? 0;
  return copied.toSorted((one, other) => placeOf(one) - placeOf(other));
}

function isReachedFromHub({ plan, tally }: CopyJourney, site: string): boolean {
  const isWaiting = tally.waits?.some((wait) => wait.site === site) === true;
  return !isWaiting && plan.sites.some((planned) => planned.site === site && planned.queue === copyTaskQueue);
}

async function copyTo(journey: CopyJourney, image: SurveyedImage, site: string): Promise<Copied> {
  const { plan } = journey;
  const known = journey.tally.waits?.find((wait) => wait.site === site);
  if (known !== undefined) return waiting(journey, known);
  const queue = plan.sites.find((planned) => planned.site === site)?.queue ?? '';
  const isOurs = queue === copyTaskQueue;
  const lane = copying(queue, `Copy ${image.tag} to ${site}`, isOurs ? undefined : sitePatience(plan));
  const order = { ...orderOf(journey, image, [site]), site };
  const copy = (tries: number) => lane.copyImage({ ...order, position: position(journey), tries });
  try {
    const report = await withRetries(
      plan.retry,
      isOurs ? copy : (tries) => journey.clock.atSite(site, () => copy(tries)),
    );
    if (report === undefined) return waiting(journey, { site, for: 'worker' });
    if ('pausedUntil' in report) return paused(journey, site, report);
    return arrived(journey, image, site, report);
  } catch (error) {
    if (isCancellation(error)) throw error;
    return failed(journey, image, site, factsOfError(error));
  }
}

/** Tries by the Repository's own rule those sites again that failed in a way that may pass; together, as before. */
async function copyTogether(
  journey: CopyJourney,
  image: SurveyedImage,
  sites: readonly string[],
): Promise<readonly Copied[]> {
  const { retry } = journey.plan;
  const ended: Copied[] = [];
  let left = sites;
  for (let tries = 1; left.length > 0; tries += 1) {
    const again: string[] = [];
    let [wait, why] = [0, ''];
    for (const copy of await tryTogether(journey, image, left, tries)) {
      const failure = 'failure' in copy ? copy.failure : undefined;
      const next = failure === undefined ? undefined : nextTry(retry, tries, failure, Math.random());
      if (failure === undefined || next === undefined) {
        ended.push(settled(journey, image, copy));
        continue;
      }
      again.push(copy.site);
      why = explain(failure);
      wait = Math.max(wait, next);
    }
    left = again;
    if (left.length > 0)
      await sleep(wait, { summary: `Try ${tries + 1} of ${retry.retryCount + 1} after: ${why}` });
  }
  return ended;
}

/** One try; where the image itself could not be read, that is what every site gets to hear. */
async function tryTogether(
  journey: CopyJourney,
  image: SurveyedImage,
  sites: readonly string[],
  tries: number,
): Promise<readonly SiteCopy[]> {
  const lane = copying(
    copyTaskQueue,
    `Copy ${image.tag} to ${sites.length} sites: ${someNames(sites, 5)}`.slice(0, 200),
  );
  const order = { ...orderOf(journey, image, sites), sites, tries };
  try {
    return await lane.copyImageToSites({
      ...order,
      position: { ...position(journey), together: sites.length },
    });
  } catch (error) {
    if (isCancellation(error)) throw error;
    const failure = factsOfError(error);
    return sites.map((site) => ({ site, failure }));
  }
}

function settled(journey: CopyJourney, image: SurveyedImage, copy: SiteCopy): Copied {
  const { site } = copy;
  if ('report' in copy) return arrived(journey, image, site, copy.report);
  if ('failure' in copy) return failed(journey, image, site, copy.failure);
  return paused(journey, site, copy.pause);
}

function orderOf({ plan, trigger }: CopyJourney, image: SurveyedImage, sites: readonly string[]) {
  const recheck = trigger === 'repair';
  const outsideWindow = trigger === 'urgent' ? { outsideWindow: true } : {};
  return { plan: planFor(plan, sites), tag: image.tag, root: image.root, recheck, ...outsideWindow };
}

const position = ({ story }: CopyJourney): CopyPosition => ({
  before: story.progress.copiesDone,
  of: Math.max(1, story.progress.copies),
});

/** The digest that the site had before this copy, where it had one. */
function replaced(image: SurveyedImage, site: string): Pick<SiteResult, 'copied'> {
  const before = image.replaced?.find((one) => one.site === site)?.digest;
  return { copied: before === undefined ? {} : { before } };
}

function arrived(journey: CopyJourney, image: SurveyedImage, site: string, report: CopyReport): Copied {
  countOne(journey);
  const gap = attachmentGap(report.referrersMissing);
  const served = report.servedBy === undefined ? {} : { source: report.servedBy };
  const result = { site, digest: report.root, ...replaced(image, site), ...served, ...gap };
  return { result, moved: report.bytesMoved, reused: report.bytesReused };
}

function failed(journey: CopyJourney, image: SurveyedImage, site: string, failure: FailureFacts): Copied {
  countOne(journey);
  return { result: { site, ...replaced(image, site), failure }, moved: 0, reused: 0 };
}

/** Not brought for now, and no failure: the desk of the site starts the sync again when it can go on. */
function waiting(journey: CopyJourney, waits: SiteWait): Copied {
  countOne(journey);
  return { result: { site: waits.site, waits }, moved: 0, reused: 0 };
}

/** What was moved before the window closed is kept there and not moved again: it belongs to this run. */
function paused(journey: CopyJourney, site: string, { pausedUntil: until, bytesMoved = 0 }: Pause): Copied {
  return { ...waiting(journey, { site, for: 'window', until }), moved: bytesMoved };
}

function countOne({ story }: CopyJourney): void {
  story.tell({ copiesDone: story.progress.copiesDone + 1 });
}

/** An image whose signatures did not all arrive is no success; a gap is never silent. */
function attachmentGap(missing: number): { readonly failure?: FailureFacts } {
  return missing === 0
    ? {}
    : { failure: { code: 'ReferrersIncomplete', side: 'destination', detail: `${missing} missing` } };
}
