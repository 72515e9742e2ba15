import type { ImagesInUse } from './pod-usage.ts';

/** Use that was not looked at for longer than this is unknown: the ledger starts anew. */
export const ledgerGapMs = 2 * 3_600_000;
/** Entries not used for this long are forgotten; longer than any sensible `unusedDays`. */
export const ledgerMemoryMs = 400 * 86_400_000;

/** When images were last seen in use, by digest and by name, in epoch milliseconds. */
export interface UseLedger {
  /** Since when use is recorded without a gap. */
  readonly since: number;
  /** The last look. */
  readonly looked: number;
  readonly lastUsed: Readonly<Record<string, number>>;
}

/** The ledger after one more look at what is in use. After a gap `since` restarts: what was used in it nobody knows. */
export function recordUse(ledger: UseLedger | undefined, inUse: ImagesInUse, now: number): UseLedger {
  const unbroken = ledger !== undefined && now - ledger.looked <= ledgerGapMs && ledger.looked <= now;
  const remembered = Object.entries(ledger?.lastUsed ?? {}).filter(([, at]) => now - at < ledgerMemoryMs);
  const used = [...inUse.digests, ...inUse.names].map((key) => [key, now] as const);
  return {
    since: unbroken ? ledger.since : now,
    looked: now,
    lastUsed: Object.fromEntries([...remembered, ...used]),
  };
}
