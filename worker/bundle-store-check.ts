import type { Logger } from 'pino';
import { setCondition } from '../domain/resources/meta.ts';
import type { ResourceClients } from '../infra/kubernetes/cluster.ts';
import type { StoreReport } from '../infra/storage/store-check.ts';

/** The condition of an offline site that says whether its bundles are kept safely. */
export const storageCondition = 'BundleStorage';

/** Says in the log and at every offline site what is wrong with the store of bundles. */
export async function reportStore(
  { warnings }: StoreReport,
  resources: ResourceClients,
  log: Logger,
  now: string,
): Promise<void> {
  for (const warning of warnings) log.warn({ store: 'bundles' }, warning);
  const sites = resources.resource('edgesites');
  const isSafe = warnings.length === 0;
  const condition = {
    type: storageCondition,
    status: isSafe ? ('True' as const) : ('False' as const),
    reason: isSafe ? 'Succeeded' : 'StorageUnsafe',
    message: isSafe ? 'Bundles are kept safely' : warnings.join('; '),
  };
  for (const { metadata, spec } of await sites.list()) {
    if (spec.mode !== 'offline') continue;
    await sites.updateStatus({ name: metadata.name }, metadata.uid ?? '', ({ status }) => ({
      ...status,
      conditions: setCondition(status?.conditions ?? [], condition, now),
    }));
  }
}
