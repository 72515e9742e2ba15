import { addWaits, type SiteWait } from './site-wait.ts';
import type { ServedBy } from '../resources/repository.ts';
import type { FailureFacts } from './failure-facts.ts';
import type { SurveyedImage } from './survey.ts';
import type { GoneTag } from './survey.ts';

/** What became of one image at one site. */
export interface SiteResult {
  readonly site: string;
  /** What the site's tag shows now. */
  readonly digest?: string;
  /** Set where it was copied to, with what the tag showed before. */
  readonly copied?: { readonly before?: string };
  /** Where its content came from, where the site chooses among sources. */
  readonly source?: ServedBy;
  readonly failure?: FailureFacts;
  /** Why it does not have the image yet. Default: it has, or something failed. */
  readonly waits?: SiteWait;
}

/** What became of one image. */
export interface ImageResult {
  readonly tag: string;
  readonly digest: string;
  readonly sites: readonly SiteResult[];
  readonly bytesMoved: number;
  readonly bytesReused: number;
  /** Whether anything had to be copied. */
  readonly changed: boolean;
  /** Whether this is what only some sites are held at, by a rollback of theirs. Default: false. */
  readonly partial?: boolean;
  /** Why it may go to no site at all. Default: it may. */
  readonly refused?: FailureFacts;
}

/** The sum of many image results; bounded, however many images there are. */
export interface Tally {
  readonly images: number;
  readonly changed: number;
  readonly failed: number;
  readonly bytesMoved: number;
  readonly bytesReused: number;
  /** Failed images first, then the primary one, then changed ones; at most {@link shownLimit}. */
  readonly shown: readonly ImageResult[];
  /** Tags that vanished upstream and that sites still have. Default: none. */
  readonly gone?: readonly GoneTag[];
  /** Sites that wait for something, each once. Default: none. */
  readonly waits?: readonly SiteWait[];
}

/** How many images a status names one by one (fault O16). */
export const shownImages = 50;
/** Results at sites that a tally names one by one: with many sites fewer images are named (fault N06). */
const shownResults = 150;

/** Images that a tally names with so many sites. */
export const shownLimit = (sites: number): number =>
  Math.min(shownImages, Math.max(1, Math.floor(shownResults / Math.max(1, sites))));

export const emptyTally: Tally = {
  images: 0,
  changed: 0,
  failed: 0,
  bytesMoved: 0,
  bytesReused: 0,
  shown: [],
};

/** Adds one image. `primary` is the tag that the status is about. */
export function addImage(tally: Tally, image: ImageResult, primary: string): Tally {
  const failed = firstFailure(image) !== undefined;
  const waits = addWaits(tally.waits ?? [], waitsOf(image));
  return {
    ...tally,
    images: tally.images + 1,
    changed: tally.changed + (image.changed ? 1 : 0),
    failed: tally.failed + (failed ? 1 : 0),
    bytesMoved: tally.bytesMoved + image.bytesMoved,
    bytesReused: tally.bytesReused + image.bytesReused,
    shown: mostTelling([...tally.shown, image], primary),
    ...(waits.length === 0 ? {} : { waits }),
  };
}

/** What sites wait for before they get the image. */
export function waitsOf(image: ImageResult): readonly SiteWait[] {
  return image.sites.flatMap(({ waits }) => (waits === undefined ? [] : [waits]));
}

/** Adds images that every site has already and that nobody names. */
export const addUnchanged = (tally: Tally, count: number): Tally => ({
  ...tally,
  images: tally.images + count,
});

/** What nobody may miss comes first; the primary image never falls out. */
function mostTelling(images: readonly ImageResult[], primary: string): readonly ImageResult[] {
  const rank = (image: ImageResult): number => {
    if (firstFailure(image) !== undefined) return 0;
    if (image.tag === primary) return 1;
    return image.changed ? 2 : 3;
  };
  const sorted = images.toSorted((a, b) => rank(a) - rank(b));
  const limit = shownLimit(Math.max(...images.map(({ sites }) => sites.length)));
  const cut = sorted.slice(0, limit);
  const main = images.find(({ tag, partial }) => tag === primary && partial !== true);
  return main === undefined || cut.includes(main) ? cut : [...cut.slice(0, limit - 1), main];
}

/** An image that no site may get, whatever a site has by now. */
export function refusedImage(
  { tag, root, current, needed, partial }: SurveyedImage,
  refused: FailureFacts,
): ImageResult {
  const sites = [...current.map(({ site }) => site), ...needed].map((site) => ({ site, failure: refused }));
  const moved = { bytesMoved: 0, bytesReused: 0, changed: false };
  return {
    tag,
    digest: root.digest,
    sites,
    ...moved,
    refused,
    ...(partial === undefined ? {} : { partial }),
  };
}

/** Why it is refused, else the first site's failure, naming the site; undefined where every site has the image. */
export function firstFailure(image: ImageResult): FailureFacts | undefined {
  if (image.refused !== undefined) return image.refused;
  for (const { site, failure } of image.sites) {
    if (failure === undefined) continue;
    const detail = [`site ${site}`, failure.detail].filter((part) => part !== undefined).join(', ');
    return { ...failure, detail };
  }
  return undefined;
}

/** The failure that a whole sync reports: that of the first image that failed. */
export function tallyFailure(tally: Tally): FailureFacts | undefined {
  return tally.shown.map(firstFailure).find((failure) => failure !== undefined);
}
