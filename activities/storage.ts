import { asFailure } from '../domain/failure.ts';
import { storageDocument } from '../domain/lifecycle/ids.ts';
import { accountStorage, type StorageReport, type StoredImage } from '../domain/lifecycle/storage.ts';
import type { EdgeSite } from '../domain/resources/edge-site.ts';
import { sitePath } from '../domain/sync/site-path.ts';
import { chooseSites } from '../domain/sync/site-choice.ts';
import type { RegistryAccess } from '../infra/copy/engine.ts';
import type { PlanningDependencies } from './cleanup-dependencies.ts';
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
    const registries = new SiteRegistries(deps.credentials);
    for (const [site, image] of places.values())
      stored.push(...(await readPlace({ ...deps, sites: registries }, site, image, signal)));
    const lines = accountStorage(stored).slice(0, maxLines);
    const report: StorageReport = { measured: new Date(deps.now()).toISOString(), lines };
    await deps.documents.write(storageDocument, JSON.stringify(report));
    return stored.length;
  });
}

/**
 * How to reach the sites' registries, read once for all images of a pass; after one failed it is read again, as its
 * credential may have been replaced.
 */
class SiteRegistries {
  readonly #credentials: StorageDependencies['credentials'];
  readonly #known = new Map<string, Promise<RegistryAccess>>();

  constructor(credentials: StorageDependencies['credentials']) {
    this.#credentials = credentials;
  }

  of(site: EdgeSite): Promise<RegistryAccess> {
    const { name } = site.metadata;
    const access = this.#known.get(name) ?? this.#credentials.siteAccess(site);
    this.#known.set(name, access);
    return access;
  }

  forget({ metadata }: EdgeSite): void {
    this.#known.delete(metadata.name);
  }
}

/** A site that does not answer is left out: the others are measured all the same. */
async function readPlace(
  deps: StorageDependencies & { readonly sites: SiteRegistries },
  site: EdgeSite,
  image: string,
  signal: AbortSignal,
): Promise<StoredImage[]> {
  try {
    const endpoint = { registry: await deps.sites.of(site), path: sitePath(site, image) };
    const tags = await deps.inspector.listTags(endpoint, signal);
    const place = { site: site.metadata.name, registry: endpoint.registry.domain, path: endpoint.path };
    const read = { site: site.metadata.name, image, endpoint };
    const inspected = await readAsOurs(deps, read, () => inspectTags(deps.inspector, endpoint, tags, signal));
    return [...inspected].map(([tag, found]) => Object.assign({ tag, image: found }, place));
  } catch (error) {
    deps.sites.forget(site);
    signal.throwIfAborted();
    if (asFailure(error).code === 'Internal') throw error;
    return [];
  }
}
