import { asFailure } from '../domain/failure.ts';
import type { SiteGarbage } from '../domain/lifecycle/garbage.ts';
import type { ParkingDependencies } from './cleanup-dependencies.ts';
import { requireRecord, type PlanOrder } from './cleanup-record.ts';
import { withHeartbeat } from './heartbeat.ts';

/**
 * Asks the registries of the sites that a plan deleted at to collect their garbage, each once. Where that cannot be done
 * the answer says so: it is the operator's then, and no reason to fail.
 */
export function collectGarbage(deps: ParkingDependencies, order: PlanOrder): Promise<readonly SiteGarbage[]> {
  return withHeartbeat(async (signal) => {
    const { items } = (await requireRecord(deps, order)).record;
    const deleted = items.filter(({ state }) => state === 'deleted');
    const sites = [...new Set(deleted.map(({ deletion }) => deletion.site))];
    const asked = new Map<string, SiteGarbage['outcome']>();
    const answers: SiteGarbage[] = [];
    for (const name of sites) {
      const site = await deps.resources.resource('edgesites').get({ name });
      if (site === undefined) continue;
      try {
        const access = await deps.credentials.siteAccess(site);
        const outcome = asked.get(access.domain) ?? (await deps.registries.collectGarbage(access, signal));
        asked.set(access.domain, outcome);
        answers.push({ site: name, outcome });
      } catch (error) {
        signal.throwIfAborted();
        if (asFailure(error).code === 'Internal') throw error;
        answers.push({ site: name, outcome: 'refused' });
      }
    }
    return answers;
  });
}
