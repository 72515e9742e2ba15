import type { Failure } from '../domain/failure.ts';
import { setCondition } from '../domain/resources/meta.ts';
import { explain, factsOf } from '../domain/sync/failure-facts.ts';
import type { BundleDependencies } from './bundle-dependencies.ts';

/** The condition of an offline site that says whether its last bundle could be planned; there once one could not. */
export const plannedCondition = 'BundlePlanned';

/**
 * Says at the site why no bundle is staged, where there is no ImageBundle yet that could say it; or, without a failure,
 * that it is mended. An Event tells of what does not pass by itself.
 */
export async function tellPlan(
  deps: Pick<BundleDependencies, 'resources' | 'events' | 'now'>,
  site: string,
  failure?: Failure,
): Promise<void> {
  const now = `${new Date(deps.now()).toISOString().slice(0, 19)}Z`;
  const message = failure === undefined ? 'The last bundle was planned / 已规划' : explain(factsOf(failure));
  const condition = {
    type: plannedCondition,
    status: failure === undefined ? ('True' as const) : ('False' as const),
    reason: failure?.code ?? 'Succeeded',
    message,
  };
  const sites = deps.resources.resource('edgesites');
  await sites.changeStatus({ name: site }, ({ status }) => {
    const known = status?.conditions?.find(({ type }) => type === plannedCondition);
    const isSaid = known?.status === condition.status && known.message === message;
    if (isSaid || (known === undefined && failure === undefined)) return undefined;
    return { ...status, conditions: setCondition(status?.conditions ?? [], condition, now) };
  });
  if (failure === undefined || failure.retryable) return;
  const uid = (await sites.get({ name: site }))?.metadata.uid;
  if (uid === undefined) return;
  const about = { kind: 'EdgeSite', ref: { name: site }, uid } as const;
  await deps.events.record(about, { type: 'Warning', action: 'StageBundle', message });
}
