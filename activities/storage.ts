import { asFailure } from '../domain/failure.ts';
import { storageDocument } from '../domain/lifecycle/ids.ts';
import { accountStorage, type StorageReport, type StoredImage } from '../domain/lifecycle/storage.ts';
import type { EdgeSite } from '../domain/resources/edge-site.ts';
import { chooseSites } from '../domain/sync/site-choice.ts';
import type { PlanningDependencies } from './cleanup-dependencies.ts';
import { targetEndpoint } from './endpoints.ts';
import { withHeartbeat } from './heartbeat.ts';
import { inspectTags } from './inspect-tags.ts';
import { readAsOurs } from './pulls.ts';

type StorageDependencies = Pick<
  PlanningDependencies,
  'resources' | 'credentials' | 'inspector' | 'documents' | 'registries' | 'now'
>;

/** Lines that are kept: a document holds no more. */
const maxLines = 20_000;

/** Adds up what every image of every Repository takes at every connected site, from manifests, and writes it down. */
export function measureStorage(deps: StorageDependencies): Promise<number> {
  return withHeartbeat(async (signal) => {
    const [repositories, sites] = await Promise.all([
      deps.resources.resource('repositories').list(),
      deps.resources.resource('edgesites').list(),
    ]);
    const places = new Map<string, readonly [EdgeSite, string]>();
    for (const { spec } of repositories) {
      for (const site of chooseSites(spec, sites).connected)
        places.set(`${site.metadata.name}\n${spec.repository}`, [site, spec.repository]);
    }
    const stored: StoredImage[] = [];
    for (const [site, image] of places.values()) stored.push(...(await readPlace(deps, site, image, signal)));
    const lines = accountStorage(stored).slice(0, maxLines);
    const report: StorageReport = { measured: new Date(deps.now()).toISOString(), lines };
    await deps.documents.write(storageDocument, JSON.stringify(report));
    return stored.length;
  });
}

/** A site that does not answer is left out: the others are measured all the same. */
async function readPlace(
  deps: StorageDependencies,
  site: EdgeSite,
  image: string,
  signal: AbortSignal,
): Promise<StoredImage[]> {
  try {
    const endpoint = await targetEndpoint(deps, site.metadata.name, image);
    const tags = await deps.inspector.listTags(endpoint, signal);
    const place = { site: site.metadata.name, registry: endpoint.registry.domain, path: endpoint.path };
    const read = { site: site.metadata.name, image, endpoint };
    const inspected = await readAsOurs(deps, read, () => inspectTags(deps.inspector, endpoint, tags, signal));
    return [...inspected].map(([tag, found]) => Object.assign({ tag, image: found }, place));
  } catch (error) {
    signal.throwIfAborted();
    if (asFailure(error).code === 'Internal') throw error;
    return [];
  }
}
