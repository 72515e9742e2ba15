import type { Digest } from '../names/digest.ts';
import type { TagName } from '../names/tag.ts';

/** What earlier runs saw of one image at one site. Survives its Repositories. */
export interface TagLedger {
  /** Tags in the last complete listing. */
  readonly count: number;
  readonly tags: Readonly<Record<string, LedgerEntry>>;
  /** A smaller listing that was not believed: how many tags it had, and since when it has been so. */
  readonly doubt?: { readonly count: number; readonly since: number };
}

export interface LedgerEntry {
  readonly digest: string;
  /** Epoch milliseconds at which the tag was first seen at this digest. */
  readonly firstSeen: number;
  /** Whether a Repository of ours ever placed the tag. */
  readonly ours: boolean;
}

/** A tag as it was found. */
export interface FoundTag {
  readonly tag: TagName;
  readonly digest: Digest;
}

/** A tag that a Repository says it placed, and when, in epoch milliseconds. */
export interface PlacedTag {
  readonly tag: string;
  readonly digest: string;
  readonly placed: number;
}

/**
 * The ledger after one more complete listing. A tag is as old as the first time it was seen, or placed by us, at its
 * present digest; it is ours once any Repository placed it. Tags that are gone are forgotten.
 */
export function recordListing(
  ledger: TagLedger | undefined,
  found: readonly FoundTag[],
  placed: readonly PlacedTag[],
  now: number,
): TagLedger {
  const placedBy = Map.groupBy(placed, ({ tag }) => tag);
  const entries = found.map(({ tag, digest }) => {
    const before = ledger?.tags[tag];
    const placements = placedBy.get(tag) ?? [];
    const times = placements.filter((entry) => entry.digest === digest).map((entry) => entry.placed);
    const seen = before?.digest === digest ? [before.firstSeen] : [];
    const entry: LedgerEntry = {
      digest,
      firstSeen: Math.min(now, ...times, ...seen),
      ours: placements.length > 0 || before?.ours === true,
    };
    return [tag, entry] as const;
  });
  return { count: found.length, tags: Object.fromEntries(entries) };
}

/** The ledger that remembers a listing which was not believed. `now` is in epoch milliseconds. */
export function recordDoubt(ledger: TagLedger | undefined, count: number, now: number): TagLedger {
  const before = ledger?.doubt;
  const same = before !== undefined && before.count <= count;
  return {
    count: ledger?.count ?? 0,
    tags: ledger?.tags ?? {},
    doubt: same ? before : { count, since: now },
  };
}

/** The ledger after we deleted tags ourselves: the next listing may be smaller by as many. */
export function forgetTags(ledger: TagLedger, deleted: readonly string[]): TagLedger {
  const gone = new Set(deleted);
  return {
    count: Math.max(0, ledger.count - gone.size),
    tags: Object.fromEntries(Object.entries(ledger.tags).filter(([tag]) => !gone.has(tag))),
  };
}
