/** Why a site did not get an image yet although nothing failed: it goes on by itself. */
export interface SiteWait {
  readonly site: string;
  /** Its sync window is closed, or its own worker takes no work. */
  readonly for: 'window' | 'worker';
  /** RFC 3339 UTC: when the window opens. Default: not known. */
  readonly until?: string;
}

/** What a worker answers that was at a step when it was cancelled; a step that nobody has taken ends without it. */
export const atWork = 'at work';

/** The reason that status and condition show. */
export const waitReason = (wait: SiteWait): 'WaitsForWindow' | 'WaitsForSite' =>
  wait.for === 'window' ? 'WaitsForWindow' : 'WaitsForSite';

/** What people read: English, then Chinese. */
export function explainWait({ for: cause, until }: SiteWait): string {
  if (cause === 'worker') return "Waits for the site's own worker, which takes no work / 等待站点的工作进程";
  const opens = until ?? 'later';
  return `Waits for the sync window, opens at ${opens} / 等待同步时段，${until ?? '稍后'} 开始`;
}

/** Adds one wait, one for each site at most; the newest word of a site counts. */
export function addWaits(known: readonly SiteWait[], more: readonly SiteWait[]): readonly SiteWait[] {
  const fresh = new Map(more.map((wait) => [wait.site, wait]));
  const kept = known.map((wait) => fresh.get(wait.site) ?? wait);
  return [...kept, ...[...fresh.values()].filter(({ site }) => known.every((wait) => wait.site !== site))];
}
