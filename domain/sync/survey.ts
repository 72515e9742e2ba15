import type { Descriptor } from '../image/descriptor.ts';
import type { Digest } from '../names/digest.ts';
import type { PlatformSelection, RepositoryStatus, SyncTrigger } from '../resources/repository.ts';

/** What one tag stands for upstream, and which sites do not have it yet. */
export interface SurveyedImage {
  readonly tag: string;
  readonly root: Descriptor;
  /** Sites whose tag shows the wanted image, with the digest that they show. */
  readonly current: readonly { readonly site: string; readonly digest: string }[];
  /** Sites to copy to. */
  readonly needed: readonly string[];
  /** Whether this is what only some sites are held at, by a rollback of theirs. Default: false. */
  readonly partial?: boolean;
  /** What those of them showed that showed anything. */
  readonly replaced?: readonly { readonly site: string; readonly digest: string }[];
}

/** A page of what was found; `next` is where the following page begins. */
export interface Survey {
  /** Images to copy, and as many of the others as a status shows. */
  readonly images: readonly SurveyedImage[];
  /** Images of the page that every site has already and that are not among {@link images}. Default: none. */
  readonly unchanged?: number;
  readonly next?: string;
  /** Tags that are wanted in all, over every page. */
  readonly total: number;
  /** Tags that vanished upstream and that sites still have; with the first page only, at most {@link shownGone}. Default: none. */
  readonly gone?: readonly GoneTag[];
}

/** A tag that upstream does not have any more, and what a site still shows under it. */
export interface GoneTag {
  readonly tag: string;
  readonly digest: string;
}

/** How many vanished tags a status names. */
export const shownGone = 20;

/** What a site's tag was seen to show: undefined where it shows nothing, or where the site could not be asked. */
export interface Sighting {
  readonly site: string;
  readonly digest: Digest | undefined;
}

/** Compares what upstream has with what the sites show. A repair copies whatever the sites show. */
export function compareSites(
  tag: string,
  root: Descriptor,
  sightings: readonly Sighting[],
  known: {
    readonly platforms?: PlatformSelection;
    readonly status?: RepositoryStatus;
    readonly trigger: SyncTrigger;
  },
): SurveyedImage {
  const isCurrent = ({ site, digest }: Sighting): boolean =>
    known.trigger !== 'repair' &&
    digest !== undefined &&
    digest === expectedDigest(site, root.digest, known.platforms, known.status);
  const others = sightings.filter((sighting) => !isCurrent(sighting));
  const replaced = others.flatMap(({ site, digest }) => (digest === undefined ? [] : [{ site, digest }]));
  return {
    tag,
    root,
    current: sightings.flatMap((sighting) =>
      isCurrent(sighting) ? [{ site: sighting.site, digest: sighting.digest ?? root.digest }] : [],
    ),
    needed: others.map(({ site }) => site),
    ...(replaced.length === 0 ? {} : { replaced }),
  };
}

/** The digest of upstream, or, where indexes are rewritten to fewer platforms, the one that we wrote for it. */
function expectedDigest(
  site: string,
  root: Digest,
  platforms: PlatformSelection | undefined,
  status: RepositoryStatus | undefined,
): string | undefined {
  if (platforms?.mode !== 'rewrite') return root;
  if (status?.digest !== root) return undefined;
  return status.sites?.find((entry) => entry.site === site && entry.state === 'Synced')?.digest;
}

/** Images that one survey names, at most: with few sites. */
export const surveyPageSize = 50;
/** Tags that one survey looks at, at most: where nothing changed, a page is as long as this. */
export const surveyReach = 500;
/** Bytes that a survey's answer may have, with room to spare below 64 KiB. */
const surveyBytes = 40_000;

/** Images that one survey names for so many sites, so that its answer stays below 64 KiB (fault N06). */
export function surveyLimit(sites: number): number {
  const bytesEach = 300 + sites * 240;
  return Math.min(surveyPageSize, Math.max(2, Math.floor(surveyBytes / bytesEach)));
}

/** What is known of a page while its tags are looked at, see {@link addToPage}. */
export interface SurveyPage {
  readonly images: readonly SurveyedImage[];
  readonly unchanged: number;
  readonly looked: number;
}

/** A page before anything was looked at. */
export const emptyPage: SurveyPage = { images: [], unchanged: 0, looked: 0 };

/**
 * Adds images that were looked at. All that need copying are named; of the others the primary one, and on the first page
 * as many as fit, so that the status of a sync that changes nothing still shows some. Where a signature is asked for, all
 * are named: none may be taken for right without a look at its signature.
 */
export function addToPage(
  page: SurveyPage,
  looked: readonly SurveyedImage[],
  shape: {
    readonly first: boolean;
    readonly primary: string;
    readonly sites: number;
    /** Default: false. */
    readonly verifies?: boolean;
  },
): SurveyPage {
  const images = [...page.images];
  const room = surveyLimit(shape.sites);
  for (const image of looked) {
    const isNamed = shape.verifies === true || image.needed.length > 0 || image.tag === shape.primary;
    if (isNamed || (shape.first && images.length < room)) images.push(image);
  }
  const named = images.length - page.images.length;
  return {
    images,
    unchanged: page.unchanged + looked.length - named,
    looked: page.looked + looked.length,
  };
}

/** How many tags to look at next; 0 where the page is full. Looks in halves, so that no page is overfull. */
export function nextLook(page: SurveyPage, sites: number, verifies = false): number {
  const needing = page.images.filter(({ needed }) => verifies || needed.length > 0).length;
  const half = Math.max(1, Math.floor(surveyLimit(sites) / 2));
  const isFull = needing > half || page.looked >= surveyReach;
  return isFull ? 0 : half;
}

/** The part of a sorted list of tags that follows `after`. */
export function tagsAfter<T extends string>(sorted: readonly T[], after: string | undefined): readonly T[] {
  if (after === undefined) return sorted;
  const start = sorted.findIndex((tag) => tag > after);
  return start < 0 ? [] : sorted.slice(start);
}
