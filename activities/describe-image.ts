import type { Descriptor } from '../domain/image/descriptor.ts';
import type { ManifestStatus } from '../domain/resources/repository.ts';
import type { SyncPlan } from '../domain/sync/plan.ts';
import type { SyncDependencies } from './dependencies.ts';
import { sourceEndpoint, targetEndpoint } from './endpoints.ts';
import { withHeartbeat } from './heartbeat.ts';

/** An image whose details `status.manifest` shows. */
export interface DescribeOrder {
  readonly plan: SyncPlan;
  /** What is described: as it is at the site where one is named. */
  readonly root: Descriptor;
  /** A site that has the image: reading there spares a counted pull upstream. Default: upstream. */
  readonly site?: string;
  /** Which try this is. Default: 1. */
  readonly tries?: number;
}

/** Reads platform, size, date and layers of an image. */
export function describeImage(deps: SyncDependencies, order: DescribeOrder): Promise<ManifestStatus> {
  return withHeartbeat(async (signal) => {
    const { plan, site, root } = order;
    const endpoint =
      site === undefined
        ? await sourceEndpoint(deps, { ...plan, usedFrom: plan.claim.ref.namespace })
        : await targetEndpoint(deps, site, plan.repository);
    return deps.engine.describe(endpoint, root, signal);
  });
}
