import type { Logger } from 'pino';
import type { ResourceCache } from '../../infra/kubernetes/cluster.ts';
import type { SiteLimits } from '../../infra/copy/site-limits.ts';
import type { SiteDesks } from '../../infra/temporal/site-desks.ts';

/** What following the EdgeSites is handed. */
export interface SiteFollowing {
  readonly sites: ResourceCache<'edgesites'>;
  readonly limits: SiteLimits;
  /** Told of changes, so that who waits for a site looks again. */
  readonly desks: SiteDesks;
  readonly log: Logger;
}

/**
 * Brings what EdgeSites say of bandwidth and window to the copies that run in this process, within the second. A word to
 * a desk that does not get through is not repeated: the next sync of the Repository looks as well.
 */
export function followSites({ sites, limits, desks, log }: SiteFollowing): void {
  const generations = new Map<string, number | undefined>();
  sites.onChange(({ metadata: { name, generation }, spec }, gone) => {
    limits.learn(name, gone ? {} : spec);
    if (!gone && generations.get(name) === generation) return;
    generations.set(name, generation);
    desks.look(name).catch((error: unknown) => log.warn({ site: name, err: error }, 'the desk was not told'));
  });
}
