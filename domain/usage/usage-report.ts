import type { ImagesInUse } from './pod-usage.ts';

/** An answer older than this says nothing any more. */
export const usageMaxAgeMs = 15 * 60_000;

/** What one cluster said about its images. */
export interface UsageReport {
  /** Such as `hub` or an EdgeSite's name. */
  readonly source: string;
  /** Epoch milliseconds at which its Pods were listed, completely. */
  readonly observed: number;
  readonly inUse: ImagesInUse;
  /** Milliseconds for which it counts. Default: {@link usageMaxAgeMs}. */
  readonly maxAgeMs?: number;
}

/** What all clusters together use, and whose answer is missing. */
export interface CombinedUsage extends ImagesInUse {
  /** Sources without an answer, or with one that is too old. Nothing may be deleted while there are any. */
  readonly missing: readonly string[];
}

/** Adds up the reports of every source that is expected to report. `now` is in epoch milliseconds. */
export function combineUsage(
  expected: readonly string[],
  reports: readonly UsageReport[],
  now: number,
): CombinedUsage {
  const fresh = (report: UsageReport): boolean => now - report.observed <= (report.maxAgeMs ?? usageMaxAgeMs);
  const missing = expected.filter(
    (source) => !reports.some((report) => report.source === source && fresh(report)),
  );
  return {
    missing,
    digests: new Set(reports.flatMap(({ inUse }) => [...inUse.digests])),
    names: new Set(reports.flatMap(({ inUse }) => [...inUse.names])),
  };
}
