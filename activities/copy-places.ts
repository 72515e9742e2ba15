import { asFailure, Failure } from '../domain/failure.ts';
import type { FailureFacts } from '../domain/sync/failure-facts.ts';
import { isWanted, type Claim, type SyncPlan } from '../domain/sync/plan.ts';
import type { CopyPosition } from '../domain/sync/progress.ts';
import type { CopyEngine, RepositoryEndpoint } from '../infra/copy/engine.ts';
import type { SiteLimits } from '../infra/copy/site-limits.ts';
import type { RunFence } from '../infra/temporal/run-fence.ts';
import type { PullCounter, SyncDependencies } from './dependencies.ts';
import { sourceEndpoint, targetEndpoint, type SourceOrder } from './endpoints.ts';
import { tellingFailedTry, type TriedOrder } from './failed-try.ts';
import type { Pulse } from './heartbeat.ts';
import { openProgressReport, type ProgressReport } from './progress-report.ts';

/** Where a copy reads and writes, and what it asks about itself: of the cluster in the hub, of its own settings at a site. */
export interface CopyPlaces {
  /** `domain` is what the plan says; credentials are read at the moment of use. */
  source(order: SourceOrder & { readonly domain?: string }): Promise<RepositoryEndpoint>;
  /** Learns the site's limits as well. */
  target(site: string, plan: SyncPlan): Promise<RepositoryEndpoint>;
  /** Throws `Superseded` where the object that asked for the copy is gone or wants something else by now. */
  stillWanted(claim: Claim): Promise<void>;
  /** Tells of progress where people see it, and with the step's heartbeat. */
  report(claim: Claim, position: CopyPosition, pulse: Pulse): ProgressReport;
  /** Runs a try and tells, where people see it, why it failed; see {@link tellingFailedTry}. */
  telling<T>(
    order: TriedOrder,
    step: () => Promise<T>,
    failed?: (result: T) => FailureFacts | undefined,
  ): Promise<T>;
}

/** What copying is handed. */
export interface CopyDependencies {
  readonly engine: CopyEngine;
  readonly fence: RunFence;
  readonly pulls: PullCounter;
  readonly places: CopyPlaces;
  readonly limits: SiteLimits;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** The hub's places: RegistrySecrets, EdgeSites and Repositories of the cluster. */
export function clusterPlaces(deps: SyncDependencies & Pick<CopyDependencies, 'limits'>): CopyPlaces {
  return {
    source: (order) => sourceEndpoint(deps, order),
    async target(site, plan) {
      const { registry, path, limiting } = await targetEndpoint(deps, site, plan.repository);
      deps.limits.learn(site, limiting);
      return { registry, path };
    },
    stillWanted: (claim) => checkClaim(deps, claim),
    report: (claim, position, pulse) => openProgressReport(deps, claim, position, pulse),
    telling: (order, step, failed) => tellingFailedTry(deps, order, step, failed),
  };
}

/** Whether the object that asked for a run is there and wants what it wanted when the run began. */
export async function isStillWanted(deps: SyncDependencies, claim: Claim): Promise<boolean> {
  try {
    await checkClaim(deps, claim);
    return true;
  } catch (error) {
    if (asFailure(error).code === 'Superseded') return false;
    throw error;
  }
}

async function checkClaim(deps: SyncDependencies, claim: Claim): Promise<void> {
  const repository = await deps.resources.resource('repositories').get(claim.ref);
  const refuse = (detail: string): never => {
    throw new Failure('Superseded', { side: 'cluster', subject: claim.ref.name, detail });
  };
  if (repository === undefined || repository.metadata.uid !== claim.uid) return refuse('it was deleted');
  if (repository.metadata.deletionTimestamp !== undefined) return refuse('it is being deleted');
  return isWanted(claim, repository.spec) ? undefined : refuse('its spec was changed');
}
