import { asFailure } from '../domain/failure.ts';
import { chooseSites } from '../domain/sync/site-choice.ts';
import { addRead, isOwnRead } from '../domain/usage/own-reads.ts';
import type { RepositoryEndpoint } from '../infra/copy/engine.ts';
import type { PlanningDependencies } from './cleanup-dependencies.ts';
import { changeDocument, readDocument, readsKey } from './cleanup-documents.ts';
import { targetEndpoint } from './endpoints.ts';

type PullDependencies = Pick<
  PlanningDependencies,
  'resources' | 'credentials' | 'documents' | 'registries' | 'now'
>;

/** What registries say about the last use of images. */
export interface KnownPulls {
  /** Epoch milliseconds of the last pull that was not ours, by digest. */
  readonly lastPulled: ReadonlyMap<string, number>;
  /** Sites whose registry should have told and did not. */
  readonly missing: readonly string[];
}

/** Asks every site whose registry tells; one that does not answer is missing, not unused. */
export async function lookAtPulls(deps: PullDependencies): Promise<KnownPulls> {
  const lastPulled = new Map<string, number>();
  const missing = new Set<string>();
  for (const place of await tellingPlaces(deps)) {
    try {
      for (const [digest, time] of await pullsAt(deps, place))
        lastPulled.set(digest, Math.max(time, lastPulled.get(digest) ?? 0));
    } catch (error) {
      if (asFailure(error).code === 'Internal') throw error;
      missing.add(place.site);
    }
  }
  return { lastPulled, missing: [...missing] };
}

interface Place {
  readonly site: string;
  readonly image: string;
}

/** Pulls by others than us. */
async function pullsAt(
  deps: PullDependencies,
  { site, image }: Place,
): Promise<readonly (readonly [string, number])[]> {
  const endpoint = await targetEndpoint(deps, site, image);
  const reads = (await readDocument(deps.documents, readsKey(site, image))) ?? [];
  return [...(await deps.registries.lastPulls(endpoint))].filter(([, time]) => !isOwnRead(reads, time));
}

/**
 * Reads manifests at a site, and notes when, where the registry counts that as pulls. It is written down before as well:
 * a worker that dies meanwhile leaves a time that is too short, and then a read of ours keeps an image longer.
 */
export async function readAsOurs<T>(
  deps: Pick<PlanningDependencies, 'documents' | 'registries' | 'now'>,
  place: Place & { readonly endpoint: RepositoryEndpoint },
  work: () => Promise<T>,
): Promise<T> {
  if (!deps.registries.tellsPulls(place.endpoint.registry)) return work();
  const key = readsKey(place.site, place.image);
  const from = deps.now();
  const note = async (): Promise<void> => {
    await changeDocument(deps.documents, key, (reads = []) => addRead(reads, from, deps.now()));
  };
  await note();
  try {
    return await work();
  } finally {
    await note();
  }
}

async function tellingPlaces(deps: PullDependencies): Promise<readonly Place[]> {
  const sites = await deps.resources.resource('edgesites').list();
  const telling = new Set<string>();
  for (const site of sites) {
    const { provider } = site.spec.registry;
    if (provider === undefined || provider === 'other') continue;
    const access = await deps.credentials.siteAccess(site).catch(() => undefined);
    if (access === undefined || deps.registries.tellsPulls(access)) telling.add(site.metadata.name);
  }
  if (telling.size === 0) return [];
  const repositories = await deps.resources.resource('repositories').list();
  const places = repositories.flatMap(({ spec }) =>
    chooseSites(spec, sites)
      .connected.filter(({ metadata }) => telling.has(metadata.name))
      .map(({ metadata }) => ({ site: metadata.name, image: spec.repository })),
  );
  return [...new Map(places.map((place) => [`${place.site}\n${place.image}`, place])).values()];
}
