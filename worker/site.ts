import { Registry } from 'prom-client';
import {
  createCopyActivities,
  createSiteActivities,
  type CopyActivities,
  type SiteActivities,
} from '../activities/index.ts';
import { sitePlaces } from '../activities/site-places.ts';
import type { Descriptor } from '../domain/image/descriptor.ts';
import { parseRegistryDomain, type RegistryDomain } from '../domain/names/registry-domain.ts';
import { parseRepositoryPath } from '../domain/names/repository-path.ts';
import { siteTaskQueue } from '../domain/sync/ids.ts';
import { prefixedPath } from '../domain/sync/site-path.ts';
import { PoolSource } from '../infra/bundle/pool-source.ts';
import { SiteLimits } from '../infra/copy/site-limits.ts';
import type { RegistryAccess } from '../infra/copy/engine.ts';
import { connectCluster } from '../infra/kubernetes/connection.ts';
import { createPodImageLister } from '../infra/kubernetes/pod-images.ts';
import { dockerConfigPath, dockerCredential } from '../infra/registry/docker-config.ts';
import { uploadNotes } from '../infra/copy/upload-files.ts';
import { RegistryClients } from '../infra/registry/registry-client.ts';
import { createCopyEngine } from '../infra/registry/registry-copy-engine.ts';
import { BundleShelf } from '../infra/storage/bundle-shelf.ts';
import { ObjectStore } from '../infra/storage/object-store.ts';
import { temporalAccess } from '../infra/temporal/access.ts';
import { connectTemporal } from '../infra/temporal/connection.ts';
import { sharedDataConverter } from '../infra/temporal/data-converter.ts';
import { createRunFence } from '../infra/temporal/run-fence.ts';
import { createToldTerms } from '../infra/temporal/site-copies.ts';
import { createPullCounter } from './image-metrics.ts';
import { createLog } from './log.ts';
import { serveMetrics } from './metrics-server.ts';
import { parseSiteSettings } from './site-settings.ts';
import { stopSignal } from './stop-signal.ts';
import { installTemporalRuntime } from './temporal-runtime.ts';
import { pollQueues } from './temporal-workers.ts';

/**
 * A site's own worker: it polls only `site-<name>`, needs nothing but Temporal and two registries in reach, and has its
 * own credentials, out of a docker config file (`REGISTRY_AUTH_FILE`). While it is away its work waits.
 */
const settings = parseSiteSettings(process.env);
const log = createLog(settings.logLevel, 'site-worker');
const signal = stopSignal({ onLate: () => log.warn('ended with something still under way') });
const { metricsPort: port } = settings;
const { metricsUrl } = await installTemporalRuntime(log, port !== undefined);
const place = {
  ...temporalAccess(process.env),
  address: settings.temporalAddress,
  namespace: settings.temporalNamespace,
  dataConverter: sharedDataConverter(settings.codecKeys),
};
const temporal = connectTemporal(place);
const registries = new RegistryClients({
  proxies: settings.proxies,
  onWarning: (registry, text) => log.warn({ registry }, `the registry warns: ${text}`),
});
const metrics = new Registry();
const limits = new SiteLimits();
/** The pool of bundles, which this worker only reads. */
const shelf = settings.hasPool ? new BundleShelf(new ObjectStore(settings.bundleStore)) : undefined;
const pool = shelf === undefined ? undefined : (root: Descriptor): PoolSource => new PoolSource(shelf, root);
const places = sitePlaces({
  site: settings.site,
  limits,
  told: createToldTerms(temporal),
  own: settings.bandwidth === undefined ? {} : { bandwidth: settings.bandwidth },
  async sourceAt(domain, repository) {
    return { registry: await accessTo(parseRegistryDomain(domain)), path: parseRepositoryPath(repository) };
  },
  async targetAt(repository) {
    const path = prefixedPath(settings.pathPrefix, repository);
    return { registry: { ...settings.registryAccess, ...(await accessTo(settings.registry)) }, path };
  },
});

/** Its cluster is only read, to say which images are in use. */
const pods = settings.hasCluster ? createPodImageLister(connectCluster(settings.kubeconfig)) : undefined;
const activities: CopyActivities & SiteActivities = {
  ...createSiteActivities(pods),
  ...createCopyActivities({
    engine: createCopyEngine(registries, uploadNotes(settings.stateDir), pool),
    fence: createRunFence(temporal),
    pulls: createPullCounter(metrics),
    places,
    limits,
    now: Date.now,
  }),
};

await work();

/** Works until SIGTERM or SIGINT, and is gone within 25 seconds after it. */
async function work(): Promise<void> {
  let isReady = false;
  const page = {
    host: settings.metricsHost,
    port: port ?? 0,
    registry: metrics,
    ...(metricsUrl === undefined ? {} : { metricsUrl }),
  };
  const server = port === undefined ? undefined : await serveMetrics(page, () => isReady);
  const taskQueue = siteTaskQueue(settings.site);
  const onPolling = (): void => {
    isReady = true;
    log.info({ taskQueue }, 'working');
  };
  const queue = { taskQueue, activities, concurrency: settings.copyConcurrency };
  await pollQueues([queue], place, log, { signal, onPolling });
  await Promise.all([server?.close(), registries.close(), temporal.connection.close()]);
  shelf?.store.close();
}

async function accessTo(domain: RegistryDomain): Promise<RegistryAccess> {
  const credential = await dockerCredential(dockerConfigPath(process.env), domain);
  return { domain, provider: 'other', ...(credential === undefined ? {} : { credential }) };
}
