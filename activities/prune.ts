import { decidePrune, pruneClaims, type PruneClaims } from '../domain/lifecycle/prune.ts';
import type { TagName } from '../domain/names/tag.ts';
import type { ObjectRef } from '../domain/resources/meta.ts';
import type { Repository } from '../domain/resources/repository.ts';
import { chooseSites } from '../domain/sync/site-choice.ts';
import { explain, facts } from '../domain/sync/failure-facts.ts';
import { fullName } from '../domain/usage/pod-usage.ts';
import type { ImagesInUse } from '../domain/usage/pod-usage.ts';
import type { ParkingDependencies } from './cleanup-dependencies.ts';
import { sourceEndpoint, targetEndpoint } from './endpoints.ts';
import { withHeartbeat } from './heartbeat.ts';
import { readAsOurs } from './pulls.ts';
import { requireCurrentTry } from './step-fence.ts';
import { requireUsage } from './usage.ts';

/** Takes tags that vanished upstream from the sites of a Repository with `prune`. Answers how many went. */
export function pruneVanished(deps: ParkingDependencies, ref: ObjectRef): Promise<number> {
  return withHeartbeat(async (signal) => {
    const repository = await deps.resources.resource('repositories').get(ref);
    if (repository?.spec.prune !== true || repository.spec.tagSelector === undefined) return 0;
    const { spec } = repository;
    const registryRef = {
      namespace: spec.registryRef.namespace ?? ref.namespace,
      name: spec.registryRef.name,
    };
    const source = await sourceEndpoint(deps, {
      registryRef,
      repository: spec.repository,
      usedFrom: ref.namespace,
    });
    const upstream = await deps.inspector.listTags(source, signal);
    const [sites, inUse] = await Promise.all([
      deps.resources.resource('edgesites').list(),
      requireUsage(deps),
    ]);
    let pruned = 0;
    for (const site of chooseSites(spec, sites).connected)
      pruned += await pruneSite(deps, { repository, site: site.metadata.name, upstream, inUse, signal });
    return pruned;
  });
}

interface SiteOrder {
  readonly repository: Repository;
  readonly site: string;
  readonly upstream: readonly TagName[];
  readonly inUse: ImagesInUse;
  readonly signal: AbortSignal;
}

async function pruneSite(deps: ParkingDependencies, order: SiteOrder): Promise<number> {
  const { repository, site, upstream, signal } = order;
  const image = repository.spec.repository;
  const endpoint = await targetEndpoint(deps, site, image);
  const everyone = await deps.resources.resource('repositories').list();
  const claims = pruneClaims(repository, everyone);
  const atSite = await deps.inspector.listTags(endpoint, signal);
  const { vanished, hold } = decidePrune(upstream, atSite, claims);
  if (hold !== undefined) {
    const detail = `${vanished.length} of ${atSite.length} tags at ${site} vanished upstream`;
    await tell(deps, repository, 'Warning', explain(facts(hold, { subject: image, detail })));
    return 0;
  }
  let pruned = 0;
  for (const tag of vanished) if (await pruneTag(deps, order, tag, claims)) pruned += 1;
  if (pruned > 0)
    await tell(deps, repository, 'Normal', `${pruned} tags that vanished upstream were taken from ${site}`);
  return pruned;
}

/** By tag only, and never what a Pod uses or a rollback may need. */
async function pruneTag(
  deps: ParkingDependencies,
  { repository, site, inUse, signal }: SiteOrder,
  tag: TagName,
  claims: PruneClaims,
): Promise<boolean> {
  const image = repository.spec.repository;
  const endpoint = await targetEndpoint(deps, site, image);
  const place = { site, image, endpoint };
  const found = await readAsOurs(deps, place, () => deps.inspector.inspect(endpoint, tag, signal));
  if (found === undefined) return false;
  const digests = [found.digest, ...found.children];
  const places = [
    `${endpoint.registry.domain}/${endpoint.path}`,
    ...claims.origins.map((origin) => `${origin}/${image}`),
  ];
  const used =
    digests.some((digest) => inUse.digests.has(digest) || claims.rollbackTargets.has(digest)) ||
    places.some((place) => inUse.names.has(fullName(`${place}:${tag}`)));
  if (used) return false;
  const fact = {
    verb: 'prune',
    object: { resource: 'repositories', ...refOf(repository) },
    images: [{ site, repository: image, tag, digestBefore: found.digest }],
    key: `${site}/${tag}`,
  };
  return deps.audit.around(
    fact,
    async () => {
      const fence = (): Promise<void> => requireCurrentTry(deps.fence, tag);
      if ((await deps.parking.park(endpoint, tag, found.digest, signal, fence)) !== 'parked') return false;
      await deps.parking.discard(endpoint, found.digest, signal);
      return true;
    },
    (pruned) => (pruned ? {} : { reason: 'TagConflict' }),
  );
}

async function tell(
  deps: ParkingDependencies,
  repository: Repository,
  type: 'Normal' | 'Warning',
  message: string,
): Promise<void> {
  await deps.events.record(
    { kind: 'Repository', ref: refOf(repository), uid: repository.metadata.uid ?? '' },
    { type, action: 'Prune', message },
  );
}

const refOf = ({ metadata }: Repository): ObjectRef => ({
  namespace: metadata.namespace ?? '',
  name: metadata.name,
});
