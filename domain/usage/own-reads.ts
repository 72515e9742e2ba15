/**
 * When we ourselves read manifests of a repository: `[from, to]` in epoch milliseconds. A registry counts our reads as
 * pulls like everybody's (Harbor does for every GET of a manifest), so that a pull within such a time is no sign of use.
 */
export type OwnReads = readonly (readonly [number, number])[];

/** Times that are remembered; Harbor tells the last pull only, so that old ones matter little. */
const kept = 200;
/** Registries note a pull some seconds later (Harbor every ten), and their clocks differ from ours. */
export const readSlackMs = 60_000;

/** The times with one more, which may be going on still. Times that touch become one. */
export function addRead(reads: OwnReads, from: number, to: number): OwnReads {
  const start = from - readSlackMs;
  const end = to + readSlackMs;
  const apart = reads.filter(([a, b]) => b < start || a > end);
  const touching = reads.filter(([a, b]) => b >= start && a <= end);
  const merged = [
    Math.min(start, ...touching.map(([a]) => a)),
    Math.max(end, ...touching.map(([, b]) => b)),
  ] as const;
  return [...apart, merged].toSorted(([a], [b]) => a - b).slice(-kept);
}

/** Whether a pull at that time was ours. */
export const isOwnRead = (reads: OwnReads, time: number): boolean =>
  reads.some(([from, to]) => from <= time && time <= to);
