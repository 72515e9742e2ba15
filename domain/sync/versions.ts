import type { VersionStatus } from '../resources/repository.ts';
import type { SyncOutcome } from './outcome.ts';
import { firstFailure, waitsOf, type ImageResult } from './tally.ts';

/** How many versions a status keeps over all tags. */
export const versionLimit = 50;

/** The versions, newest first, with what a run saw upstream and placed at the sites. */
export function addVersions(versions: readonly VersionStatus[], outcome: SyncOutcome): VersionStatus[] {
  let list = [...versions];
  for (const image of outcome.tally.shown) {
    // What some sites are held at is an older version of the tag, not a new one.
    if (image.partial === true) continue;
    const newest = list.find(({ tag }) => tag === image.tag);
    const known = newest?.digest === image.digest ? newest : undefined;
    const placed = known?.placed ?? (isPlaced(image) ? outcome.ended : undefined);
    const entry: VersionStatus = {
      tag: image.tag,
      digest: image.digest,
      seen: known?.seen ?? outcome.ended,
      ...(placed === undefined ? {} : { placed }),
      syncId: known?.syncId ?? outcome.run.runId,
    };
    list = known === undefined ? [entry, ...list] : list.map((other) => (other === known ? entry : other));
  }
  return list.slice(0, versionLimit);
}

const isPlaced = (image: ImageResult): boolean =>
  image.sites.length > 0 && firstFailure(image) === undefined && waitsOf(image).length === 0;
