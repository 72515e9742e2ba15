import { hostname } from 'node:os';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { createBatchActivities } from '../activities/batch.ts';
import { createBundleActivities, createBundleCopyActivities } from '../activities/bundle.ts';
import { createLifecycleActivities } from '../activities/lifecycle.ts';
import { createStepAudit, type StepAuditDependencies } from '../activities/step-audit.ts';
import { auditedCredentials } from '../infra/audit/audited-credentials.ts';
import { auditedGateways } from '../infra/audit/audited-gateways.ts';
import { openStoredAudit } from '../infra/audit/connect-audit.ts';
import type { OpenAudit } from '../infra/audit/open-audit.ts';
import { createImageInspector, type OpenRepository } from '../infra/copy/image-inspector.ts';
import { SiteLimits } from '../infra/copy/site-limits.ts';
import { createTagMover } from '../infra/copy/tag-mover.ts';
import { createTagParking } from '../infra/copy/tag-parking.ts';
import { createDocuments } from '../infra/kubernetes/documents.ts';
import { createStoredDocuments } from '../infra/kubernetes/stored-documents.ts';
import { createUsageClusters } from '../infra/kubernetes/usage-clusters.ts';
import { BundleStager } from '../infra/bundle/bundle-stager.ts';
import { createPooledImages } from '../infra/bundle/pooled-images.ts';
import { collectBundles } from '../infra/bundle/collect-bundles.ts';
import { emptyInbox } from '../infra/bundle/inbox.ts';
import { SiteMail } from '../infra/bundle/site-mail.ts';
import { createImageVerifier } from '../infra/signature/image-verifier.ts';
import { createPublicKeyStore } from '../infra/kubernetes/public-keys.ts';
import { createSigningKeys } from '../infra/bundle/signing-keys.ts';
import { BundleShelf } from '../infra/storage/bundle-shelf.ts';
import { checkStore } from '../infra/storage/store-check.ts';
import { ObjectStore } from '../infra/storage/object-store.ts';
import { createSiteRegistry } from '../infra/registry/site-registry.ts';
import { RegistryStore } from '../infra/registry/registry-store.ts';
import { clusterPlaces } from '../activities/copy-places.ts';
import { createCopyActivities, createHubActivities } from '../activities/index.ts';
import { copyTaskQueue, hubTaskQueue } from '../domain/sync/ids.ts';
import type { ResourceCache } from '../infra/kubernetes/cluster.ts';
import { connectCluster } from '../infra/kubernetes/connection.ts';
import { createCredentialStore } from '../infra/kubernetes/credential-store.ts';
import { watchCredentials } from '../infra/kubernetes/credential-watch.ts';
import { createEventRecorder } from '../infra/kubernetes/event-recorder.ts';
import { announcePresence } from '../infra/kubernetes/presence.ts';
import { watchResources } from '../infra/kubernetes/resource-cache.ts';
import { createLeaseClaims } from '../infra/kubernetes/lease-claims.ts';
import { createResourceClients } from '../infra/kubernetes/resource-client.ts';
import { uploadNotes } from '../infra/copy/upload-files.ts';
import { loadPlugins } from '../infra/registry/plugins/load-plugins.ts';
import { RegistryClients } from '../infra/registry/registry-client.ts';
import { createCopyEngine } from '../infra/registry/registry-copy-engine.ts';
import { createRegistryVerifier } from '../infra/registry/registry-verifier.ts';
import { temporalAccess } from '../infra/temporal/access.ts';
import { connectTemporal } from '../infra/temporal/connection.ts';
import { sharedDataConverter } from '../infra/temporal/data-converter.ts';
import { ownIdentity } from '../infra/kubernetes/own-identity.ts';
import { createRunStates } from '../infra/temporal/run-states.ts';
import { createRunFence } from '../infra/temporal/run-fence.ts';
import { createScheduleSeals } from '../infra/temporal/schedule-seals.ts';
import { createSiteCopies } from '../infra/temporal/site-copies.ts';
import { createSiteDesks } from '../infra/temporal/site-desks.ts';
import { createSiteSpeaker } from '../infra/temporal/site-speaker.ts';
import { registerSearchAttributes } from '../infra/temporal/search-attributes.ts';
import { createWorkflowGateway } from '../infra/temporal/workflow-gateway.ts';
import {
  createConnectionCounter,
  createPullCounter,
  createQueueGauge,
  createSealGauge,
  registerImageGauges,
} from './image-metrics.ts';
import { createToldUsage } from '../infra/bundle/told-usage.ts';
import { reportStore } from './bundle-store-check.ts';
import { bundleWorkflows } from './bundle-workflows.ts';
import { createLog } from './log.ts';
import { serveMetrics } from './metrics-server.ts';
import { startEdgeSiteReconciler } from './reconcile/edge-sites.ts';
import { startLifecycleReconcilers } from './reconcile/lifecycle.ts';
import { followSiteCopies } from './reconcile/site-copies.ts';
import { followSites } from './reconcile/sites.ts';
import { startSealing } from './reconcile/seals.ts';
import { startReconcilers } from './reconcile/start.ts';
import { parseWorkerSettings } from './settings.ts';
import { stopSignal, untilDone } from './stop-signal.ts';
import { registerStorageGauges } from './storage-metrics.ts';
import { installTemporalRuntime } from './temporal-runtime.ts';
import { pollQueues, type PolledQueue } from './temporal-workers.ts';

const settings = parseWorkerSettings(process.env);
const log = createLog(settings.logLevel, 'worker');
const signal = stopSignal({ onLate: () => log.warn('ended with something still under way') });
const isHub = settings.roles.includes('hub');

const { metricsUrl } = await installTemporalRuntime(log, settings.metricsPort !== undefined);
const place = {
  ...temporalAccess(process.env),
  address: settings.temporalAddress,
  namespace: settings.temporalNamespace,
  dataConverter: sharedDataConverter(settings.codecKeys),
};
const temporal = connectTemporal(place);
const gateway = createWorkflowGateway(temporal);
const desks = createSiteDesks(temporal);
const cluster = connectCluster(settings.kubeconfig);
const resources = createResourceClients(cluster);
const events = createEventRecorder(cluster, 'imageferry-worker');
const { audit, trail } = await startAudit();
const credentials = auditedCredentials(createCredentialStore(cluster, resources), {
  ...trail,
  events,
  now: () => new Date(),
});
await loadPlugins(settings.plugins);
const registries = new RegistryClients({
  proxies: settings.proxies,
  onWarning: (registry, text) => log.warn({ registry }, `the registry warns: ${text}`),
});
const metrics = new Registry();
collectDefaultMetrics({ register: metrics, prefix: 'imageferry_worker_' });

const engine = createCopyEngine(registries, uploadNotes(settings.stateDir));
const openAtSite: OpenRepository = ({ registry, path }) =>
  new RegistryStore(registries.of(registry), path, 'destination');
const documents = createDocuments(cluster);
const bundleStore = new ObjectStore(settings.bundleStore);
const shelf = new BundleShelf(bundleStore, createLeaseClaims(cluster));
const limits = new SiteLimits();
const signing = {
  signatures: createImageVerifier(registries),
  publicKeys: createPublicKeyStore(cluster),
};
const fence = createRunFence(temporal);
const lifecycle = {
  fence,
  limits,
  ...signing,
  resources,
  credentials,
  events,
  engine,
  inspector: createImageInspector(engine, openAtSite),
  parking: createTagParking(openAtSite),
  mover: createTagMover(openAtSite),
  pool: createPooledImages(shelf, registries),
  documents,
  stored: createStoredDocuments(cluster),
  usage: createUsageClusters(cluster, resources, {
    worker: createSiteSpeaker(temporal),
    letter: createToldUsage(shelf),
  }),
  audit: createStepAudit(trail),
  registries: createSiteRegistry(registries),
  now: Date.now,
};
const bundles = {
  ...signing,
  resources,
  credentials,
  events,
  audit: lifecycle.audit,
  engine,
  documents,
  stager: new BundleStager(shelf, registries, createSigningKeys(cluster)),
  emptyInbox: emptyInbox.bind(undefined, bundleStore, new SiteMail(shelf, resources, () => new Date())),
  collect: () => collectBundles(shelf, resources, { now: Date.now() }),
  now: Date.now,
};
/** Set once the cluster is watched, which is before any step is taken. */
let watchedRepositories: ResourceCache<'repositories'> | undefined;
const steps = {
  repositories: () => watchedRepositories?.list() ?? [],
  connections: createConnectionCounter(metrics),
  audit: lifecycle.audit,
  ...signing,
  resources,
  credentials,
  events,
  engine,
  documents,
  verifier: createRegistryVerifier({ proxies: settings.proxies }),
  fence,
  pulls: createPullCounter(metrics),
  limits,
  desks,
  now: Date.now,
  clock: () => `${new Date().toISOString().slice(0, 19)}Z`,
};

const watchedKinds = ['repositories', 'registrysecrets', 'imagecleanuppolicies', 'edgesites'] as const;

await work();

/** Works until SIGTERM or SIGINT; then lets steps under way end, hands back what does not, and is gone within 25 s. */
async function work(): Promise<void> {
  const { metricsPort: port, metricsHost: host } = settings;
  let isReady = false;
  const page = {
    host,
    port: port ?? 0,
    registry: metrics,
    ...(metricsUrl === undefined ? {} : { metricsUrl }),
  };
  const server = port === undefined ? undefined : await serveMetrics(page, () => isReady);
  const register = (): Promise<void> => registerSearchAttributes(temporal, settings.temporalNamespace);
  await untilDone('registering search attributes', register, log, signal);
  const trouble = (error: unknown): void => log.warn({ err: error }, 'the cluster cannot be watched');
  const watched = await watchResources(cluster, ['edgesites'], { onTrouble: trouble });
  followSites({ sites: watched.cache('edgesites'), limits, desks, log });
  const stopHub = isHub ? await startHub() : undefined;
  const onPolling = (): void => {
    isReady = true;
    log.info({ roles: settings.roles, namespace: place.namespace }, 'working');
  };
  await pollQueues(await queues(), place, log, { signal, onPolling });
  log.info('stopped');
  await stopHub?.();
  await audit.stop();
  watched.stop();
  await Promise.all([server?.close(), registries.close(), temporal.connection.close()]);
}

async function queues(): Promise<PolledQueue[]> {
  const hub = {
    taskQueue: hubTaskQueue,
    activities: {
      ...createHubActivities(steps),
      ...createBatchActivities({ resources, events, gateway, audit: steps.audit }),
      ...createLifecycleActivities(lifecycle),
      ...createBundleActivities(bundles),
    },
  };
  const copy = {
    taskQueue: copyTaskQueue,
    activities: {
      ...createCopyActivities({ ...steps, places: clusterPlaces(steps) }),
      ...createBundleCopyActivities(bundles),
    },
    concurrency: settings.copyConcurrency,
  };
  return [
    ...(isHub ? [{ ...hub, workflows: await bundleWorkflows(place.dataConverter) }] : []),
    ...(settings.roles.includes('copy') ? [copy] : []),
  ];
}

/** Something that is tried again by itself. */
function trouble(what: string): (error: unknown) => void {
  return (error) => log.warn({ err: error }, what);
}

/** Watches the cluster, reconciles, and shows what is watched as metrics. */
async function startHub(): Promise<() => Promise<void>> {
  const caches = await watchResources(cluster, watchedKinds, { onTrouble: trouble('no watch') });
  const secrets = watchCredentials(cluster, { onTrouble: trouble('Secrets cannot be watched') });
  watchedRepositories = caches.cache('repositories');
  registerImageGauges(metrics, caches);
  registerStorageGauges(metrics, { documents, resources });
  const around = { clients: resources, caches, documents, events, log };
  const onTrouble = trouble('an action could not be audited');
  const gateways = auditedGateways(temporal, { ...trail, reader: audit.reader, onTrouble });
  const { schedules } = gateways;
  const stopLifecycle = startLifecycleReconcilers({ ...around, gateway: gateways.lifecycle, schedules });
  const checked = async (): Promise<void> =>
    reportStore(await checkStore(bundleStore), resources, log, steps.clock());
  void untilDone('looking at the store of bundles', checked, log, signal);
  const stopSites = startEdgeSiteReconciler({ ...around, gateway: gateways.bundles, schedules });
  const stopFollowing = followSiteCopies({ ...around, copies: createSiteCopies(temporal) });
  const stop = startReconcilers({
    ...around,
    credentials,
    secrets,
    workflows: gateways.workflows,
    queues: createQueueGauge(metrics),
  });
  const seals = createScheduleSeals(temporal);
  const stopSealing = startSealing({ seals, gauge: createSealGauge(metrics), log });
  const depart = announcePresence(cluster, hostname(), trouble('its Lease cannot be renewed'));
  return async () => {
    depart();
    stopFollowing();
    await Promise.all([stop(), stopLifecycle(), stopSites(), stopSealing()]);
    caches.stop();
    secrets.stop();
  };
}

/** The worker's own part of the audit log, and who it is in there: waits for the cluster, which alone can tell. */
async function startAudit(): Promise<{ audit: OpenAudit; trail: StepAuditDependencies }> {
  const { stream } = settings.audit;
  const runs = createRunStates(temporal);
  const audit = await openStoredAudit(settings.bundleStore, settings.audit, {
    isOver: async ({ workflow }) => workflow === undefined || !(await runs.isRunning(workflow)),
    onTrouble: (error, what) => log.warn({ err: error }, `the audit log is in trouble: ${what}`),
  });
  let actor = { name: 'unknown', uid: '' };
  const ask = async (): Promise<void> => void (actor = await ownIdentity(cluster));
  await untilDone('asking the cluster who this process is', ask, log, signal);
  const { outbox, reader } = audit;
  return { audit, trail: { outbox, reader, stream, actor, source: hostname(), now: Date.now } };
}
