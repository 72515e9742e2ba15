import type { ObjectRef } from '../domain/resources/meta.ts';
import { siteOpening as decide, type SiteOpening } from '../domain/sync/desk.ts';
import type { SiteWait } from '../domain/sync/site-wait.ts';
import type { ResourceClients } from '../infra/kubernetes/cluster.ts';
import type { SiteDesks } from '../infra/temporal/site-desks.ts';

/** What waiting for a site is handed. */
export interface DeskDependencies {
  readonly resources: ResourceClients;
  readonly desks: SiteDesks;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** Leaves a Repository at the desks of the sites that it waits for. Twice is once. */
export async function waitAtSites(
  deps: DeskDependencies,
  ref: ObjectRef,
  waits: readonly SiteWait[],
): Promise<void> {
  await Promise.all(waits.map(({ site }) => deps.desks.wait(site, ref)));
}

/** What has to come first before a site can be filled, as its EdgeSite is now. */
export async function siteOpening(deps: DeskDependencies, site: string): Promise<SiteOpening> {
  return decide(await deps.resources.resource('edgesites').get({ name: site }), deps.now());
}
