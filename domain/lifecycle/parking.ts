import { digestAlgorithm, digestHex, type Digest } from '../names/digest.ts';
import { parseTag, type TagName } from '../names/tag.ts';
import type { Deletion } from './plan.ts';
import { parkedTagPrefix } from './system-tags.ts';

/** The tag that holds a parked digest against garbage collection. One for all parked tags of that digest. */
export function parkedTag(digest: Digest): TagName {
  return parseTag(`${parkedTagPrefix}${digestAlgorithm(digest)}-${digestHex(digest)}`.slice(0, 128));
}

/**
 * Where one deletion of an approved plan has got to. `planned` → `parking` (intent, written before the first change) →
 * `parked` → `deleted` or `restored`. `skipped`: it was not touched, see `detail`.
 */
export interface ParkedItem {
  readonly deletion: Deletion;
  readonly state: 'planned' | 'parking' | 'parked' | 'deleted' | 'restored' | 'skipped';
  /** Why it was skipped or restored. */
  readonly detail?: string;
}

/** Counts and bytes of a run, for the status. */
export interface ParkingSummary {
  readonly parked: number;
  readonly deleted: number;
  readonly restored: number;
  readonly skipped: number;
  /** Bytes that no kept tag needs any more; they are free once the registry has collected its garbage. */
  readonly freedBytes: number;
}

/** Adds up a run. */
export function summarize(items: readonly ParkedItem[]): ParkingSummary {
  const count = (state: ParkedItem['state']): number => items.filter((item) => item.state === state).length;
  return {
    parked: count('parked') + count('parking'),
    deleted: count('deleted'),
    restored: count('restored'),
    skipped: count('skipped'),
    freedBytes: items.reduce(
      (total, { state, deletion }) => total + (state === 'deleted' ? deletion.bytes : 0),
      0,
    ),
  };
}
