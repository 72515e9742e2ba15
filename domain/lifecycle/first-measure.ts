import type { EdgeSite } from '../resources/edge-site.ts';
import type { Repository } from '../resources/repository.ts';
import type { StorageReport } from './storage.ts';

/** Milliseconds for which more images may go on coming to a site before it is measured all the same. */
const longestSettleMs = 600_000;
/** Milliseconds after which a site that still is not in the measurements may be asked for again. */
const askAgainMs = 3_600_000;

/** What is remembered of a site that holds images and is in no measurement. */
export interface Unmeasured {
  readonly repositories: number;
  /** When the first of them was seen there, epoch milliseconds. */
  readonly since: number;
  /** When a measurement was last asked for. Default: never. */
  readonly asked?: number;
}

/** How many Repositories have arrived at each connected site that there is. */
export function arrivals(
  repositories: readonly Repository[],
  sites: readonly EdgeSite[],
): ReadonlyMap<string, number> {
  const connected = new Set(
    sites.filter(({ spec }) => spec.mode !== 'offline').map(({ metadata }) => metadata.name),
  );
  const counts = new Map<string, number>();
  for (const { status } of repositories)
    for (const { site, state } of status?.sites ?? [])
      if (state === 'Synced' && connected.has(site)) counts.set(site, (counts.get(site) ?? 0) + 1);
  return counts;
}

/**
 * Follows the sites that no measurement names yet, from one look to the next. One is due once nothing more has arrived since
 * the last look, or after ten minutes; and again after an hour, should the measuring have missed it. `now` is in epoch milliseconds.
 */
export function firstMeasure(
  known: ReadonlyMap<string, Unmeasured>,
  arrived: ReadonlyMap<string, number>,
  report: Pick<StorageReport, 'lines'> | undefined,
  now: number,
): { readonly unmeasured: ReadonlyMap<string, Unmeasured>; readonly due: boolean } {
  const measured = new Set(report?.lines.map(({ site }) => site));
  const followed = [...arrived]
    .filter(([site]) => !measured.has(site))
    .map(([site, count]) => [site, follow(known.get(site), count, now)] as const);
  return { unmeasured: new Map(followed), due: followed.some(([, { asked }]) => asked === now) };
}

function follow(before: Unmeasured | undefined, repositories: number, now: number): Unmeasured {
  if (before === undefined) return { repositories, since: now };
  const { since, asked } = before;
  const isQuiet = before.repositories === repositories || now - since >= longestSettleMs;
  const isDue = isQuiet && (asked === undefined || now - asked >= askAgainMs);
  if (isDue) return { repositories, since, asked: now };
  return { repositories, since, ...(asked === undefined ? {} : { asked }) };
}
