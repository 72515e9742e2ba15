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
  return keepFairly(list);
}

/**
 * Within the limit, a busy tag does not push out what another tag can be rolled back to: what goes first is the oldest
 * that is neither its tag's current version nor the one before.
 */
function keepFairly(list: readonly VersionStatus[]): VersionStatus[] {
  const spare = list.filter((version, at) => newerOfTag(list, version, at) >= 2);
  const gone = new Set(spare.toReversed().slice(0, Math.max(0, list.length - versionLimit)));
  return list.filter((version) => !gone.has(version)).slice(0, versionLimit);
}

const newerOfTag = (list: readonly VersionStatus[], { tag }: VersionStatus, at: number): number =>
  list.slice(0, at).filter((other) => other.tag === tag).length;

const isPlaced = (image: ImageResult): boolean =>
  image.sites.length > 0 && firstFailure(image) === undefined && waitsOf(image).length === 0;
