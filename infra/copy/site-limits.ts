import type { EdgeSiteSpec, SyncWindow } from '../../domain/resources/edge-site.ts';
import { BandwidthLimiter, type LimiterClock } from './bandwidth.ts';

/** What of a site limits the copies to it. */
export type LimitingSpec = Pick<EdgeSiteSpec, 'bandwidth' | 'syncWindow'>;

/**
 * The limits of each site, one for all copies of this process. What is learned here, by whoever reads or watches the
 * EdgeSites, counts at once for transfers that are under way.
 */
export class SiteLimits {
  readonly #limiters = new Map<string, BandwidthLimiter>();
  readonly #windows = new Map<string, SyncWindow>();
  readonly #clock: LimiterClock | undefined;

  /** Default: the machine's clock. */
  constructor(clock?: LimiterClock) {
    this.#clock = clock;
  }

  learn(site: string, { bandwidth, syncWindow }: LimitingSpec): this {
    this.limiter(site).rate = bandwidth;
    if (syncWindow === undefined) this.#windows.delete(site);
    else this.#windows.set(site, syncWindow);
    return this;
  }

  /** Shared by all transfers to the site; without a limit until one was learned. */
  limiter(site: string): BandwidthLimiter {
    const known = this.#limiters.get(site);
    if (known !== undefined) return known;
    const made = new BandwidthLimiter(undefined, this.#clock);
    this.#limiters.set(site, made);
    return made;
  }

  /** Undefined where the site may be filled at any time. */
  window(site: string): SyncWindow | undefined {
    return this.#windows.get(site);
  }
}
