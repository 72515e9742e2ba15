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

/**
 * The ledger after one more look at what is in use. After a gap `since` restarts: what was used in it nobody knows.
 * `pulled`: when registries saw digests pulled by others than us.
 */
export function recordUse(
  ledger: UseLedger | undefined,
  inUse: ImagesInUse,
  now: number,
  pulled: ReadonlyMap<string, number> = new Map(),
): UseLedger {
  const unbroken = ledger !== undefined && now - ledger.looked <= ledgerGapMs && ledger.looked <= now;
  const remembered = Object.entries(ledger?.lastUsed ?? {}).filter(([, at]) => now - at < ledgerMemoryMs);
  const lastUsed = new Map(remembered);
  for (const [digest, at] of pulled) lastUsed.set(digest, Math.max(at, lastUsed.get(digest) ?? 0));
  for (const key of [...inUse.digests, ...inUse.names]) lastUsed.set(key, now);
  return { since: unbroken ? ledger.since : now, looked: now, lastUsed: Object.fromEntries(lastUsed) };
}
