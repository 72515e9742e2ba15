import { activityInfo } from '@temporalio/activity';
import { Failure } from '../domain/failure.ts';
import type { Bytes } from '../domain/sync/progress.ts';
import { isNewer, type SiteBeat, type SiteTerms } from '../domain/sync/site-terms.ts';
import type { RepositoryEndpoint } from '../infra/copy/engine.ts';
import type { LimitingSpec, SiteLimits } from '../infra/copy/site-limits.ts';
import type { ToldTerms } from '../infra/temporal/site-copies.ts';
import type { CopyPlaces } from './copy-places.ts';

/** Milliseconds between two looks at what the hub told of the site: an edit counts within this time, and the hub's. */
const lookEveryMs = 3000;

/** What the places of a site's own worker are handed. */
export interface SitePlacesDependencies {
  readonly site: string;
  readonly limits: SiteLimits;
  readonly told: ToldTerms;
  /** What the site itself says goes before what its EdgeSite says. */
  readonly own: Pick<LimitingSpec, 'bandwidth'>;
  sourceAt(domain: string, repository: string): Promise<RepositoryEndpoint>;
  targetAt(repository: string): Promise<RepositoryEndpoint>;
  /** Default: 3 s. */
  readonly lookEveryMs?: number;
}

/**
 * The places of a site's own worker, which has no cluster in reach: terms come with the plan and, where the EdgeSite is
 * edited meanwhile, through the run; progress goes back with the heartbeat. A deleted Repository cancels its run, and the
 * fence asks Temporal; an edit of a Repository is seen by its run when that ends, which then runs once more.
 */
export function sitePlaces(deps: SitePlacesDependencies): CopyPlaces {
  const terms = new TermsAtSite(deps);
  return {
    async source({ domain, repository }) {
      if (domain === undefined) throw new Failure('RegistrySecretNotFound', { side: 'source' });
      return deps.sourceAt(domain, repository);
    },
    async target(site, { repository, sites }) {
      if (site !== deps.site) throw new Failure('SiteUnavailable', { side: 'destination', subject: site });
      const planned = sites.find((each) => each.site === site);
      terms.learn({ site, since: '', generation: 0, ...planned?.limits });
      await terms.look();
      return deps.targetAt(repository);
    },
    stillWanted: async () => {},
    telling: (_order, step) => step(),
    report({ uid }, position, pulse) {
      let bytes: Bytes = { doneBytes: 0, totalBytes: 0 };
      const beat = (): void => {
        const { doneBytes, totalBytes } = bytes;
        if (terms.known === undefined) return;
        const said = { site: deps.site, uid, position, doneBytes, totalBytes, terms: terms.known };
        pulse.tell(said satisfies SiteBeat);
      };
      beat();
      const timer = setInterval(() => void terms.look().then(beat), deps.lookEveryMs ?? lookEveryMs);
      return {
        tell(next) {
          bytes = next;
          beat();
        },
        close: async () => clearInterval(timer),
      };
    },
  };
}

/** What copies at the site go by: the newest that any run brought along. */
class TermsAtSite {
  readonly #deps: SitePlacesDependencies;
  known: SiteTerms | undefined;

  constructor(deps: SitePlacesDependencies) {
    this.#deps = deps;
  }

  learn(terms: SiteTerms): void {
    if (this.known !== undefined && isNewer(this.known, terms)) return;
    this.known = terms;
    this.#deps.limits.learn(terms.site, { ...terms, ...this.#deps.own });
  }

  /** Asks what the run of the step under way was told. Without an answer all stays as it is, until the next look. */
  async look(): Promise<void> {
    const { workflowExecution } = activityInfo();
    if (workflowExecution === undefined) return;
    const { told, site } = this.#deps;
    const terms = await told.newest(workflowExecution, site).catch(() => undefined);
    if (terms !== undefined) this.learn(terms);
  }
}
