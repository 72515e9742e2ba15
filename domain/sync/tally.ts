import type { FailureFacts } from './failure-facts.ts';

/** What became of one image at one site. */
export interface SiteResult {
  readonly site: string;
  /** What the site's tag shows now. */
  readonly digest?: string;
  readonly failure?: FailureFacts;
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
}

/** The sum of many image results; bounded, however many images there are. */
export interface Tally {
  readonly images: number;
  readonly changed: number;
  readonly failed: number;
  readonly bytesMoved: number;
  readonly bytesReused: number;
  /** Failed images first, at most {@link shownImages}. */
  readonly shown: readonly ImageResult[];
}

/** How many images a status names one by one (fault O16). */
export const shownImages = 50;

export const emptyTally: Tally = {
  images: 0,
  changed: 0,
  failed: 0,
  bytesMoved: 0,
  bytesReused: 0,
  shown: [],
};

/** Adds one image. */
export function addImage(tally: Tally, image: ImageResult): Tally {
  const failed = firstFailure(image) !== undefined;
  const shown = failed ? [image, ...tally.shown] : [...tally.shown, image];
  return {
    images: tally.images + 1,
    changed: tally.changed + (image.changed ? 1 : 0),
    failed: tally.failed + (failed ? 1 : 0),
    bytesMoved: tally.bytesMoved + image.bytesMoved,
    bytesReused: tally.bytesReused + image.bytesReused,
    shown: shown.slice(0, shownImages),
  };
}

/** The first site's failure, naming the site; undefined where every site has the image. */
export function firstFailure(image: ImageResult): FailureFacts | undefined {
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
