import pino, { type Logger } from 'pino';
import { Failure } from '../domain/failure.ts';
import { openStoredAudit } from '../infra/audit/connect-audit.ts';
import type { AuditOutbox } from '../infra/audit/audit-log.ts';
import type { OpenAudit } from '../infra/audit/open-audit.ts';
import { BundleDesk } from '../infra/bundle/bundle-desk.ts';
import { SiteMail } from '../infra/bundle/site-mail.ts';
import type { ResourceClients } from '../infra/kubernetes/cluster.ts';
import { BundleShelf } from '../infra/storage/bundle-shelf.ts';
import { ObjectStore } from '../infra/storage/object-store.ts';
import { createBundleGateway } from '../infra/temporal/bundle-gateway.ts';
import { createAccessReviewer } from '../infra/kubernetes/access-reviewer.ts';
import { connectCluster } from '../infra/kubernetes/connection.ts';
import { createCredentialStore, secretNameOf } from '../infra/kubernetes/credential-store.ts';
import type { CredentialStore, EventRecorder } from '../infra/kubernetes/cluster.ts';
import { createDocuments } from '../infra/kubernetes/documents.ts';
import { createEventRecorder } from '../infra/kubernetes/event-recorder.ts';
import { watchPresence } from '../infra/kubernetes/presence.ts';
import { watchResources, type WatchedCaches } from '../infra/kubernetes/resource-cache.ts';
import { createResourceClients } from '../infra/kubernetes/resource-client.ts';
import { loadPlugins } from '../infra/registry/plugins/load-plugins.ts';
import { parseProxySettings } from '../domain/registry/proxy.ts';
import { RegistryClients } from '../infra/registry/registry-client.ts';
import { createCopyEngine } from '../infra/registry/registry-copy-engine.ts';
import { createRegistryVerifier } from '../infra/registry/registry-verifier.ts';
import { payloadOpener } from '../infra/temporal/codec-endpoint.ts';
import { parseCodecKeys } from '../infra/temporal/codec-keys.ts';
import { SealingCodec } from '../infra/temporal/codec.ts';
import { temporalAccess } from '../infra/temporal/access.ts';
import { connectTemporal } from '../infra/temporal/connection.ts';
import { sharedDataConverter } from '../infra/temporal/data-converter.ts';
import { createLifecycleGateway } from '../infra/temporal/lifecycle-gateway.ts';
import { createWorkflowGateway } from '../infra/temporal/workflow-gateway.ts';
import { trustOf, webhookCertificate } from '../infra/kubernetes/webhook-certificate.ts';
import { registerWebhooks } from '../infra/kubernetes/webhook-registration.ts';
import { serveAdmission } from './admission-server.ts';
import { ownIdentity } from '../infra/kubernetes/own-identity.ts';
import { AdmissionAudit, auditedKinds } from './admission-audit.ts';
import { createApi } from './app.ts';
import { admissionWebhooks } from './routes/admission.ts';
import { serveApi } from './server.ts';
import { parseSettings, type ApiSettings } from './settings.ts';

/** Milliseconds between looks whether the webhooks' certificate is due, or was renewed by another replica. */
const certificateLookMs = 600_000;

const settings = parseSettings(process.env);
const log = pino({ level: settings.LOG_LEVEL, base: { component: 'api' } });
await run(settings, log);

async function run(settings: ApiSettings, log: Logger): Promise<void> {
  const cluster = connectCluster(settings.KUBECONFIG);
  const clients = createResourceClients(cluster);
  const temporal = connectTemporal({
    ...temporalAccess(process.env),
    address: settings.TEMPORAL_ADDRESS,
    namespace: settings.TEMPORAL_NAMESPACE,
    dataConverter: sharedDataConverter(settings.TEMPORAL_CODEC_KEYS),
  });
  const proxies = parseProxySettings(process.env);
  const registries = new RegistryClients({ proxies });
  const caches = await watchResources(cluster, auditedKinds, {
    onTrouble: (error) => log.warn({ err: error }, 'the cluster cannot be watched'),
  });
  const credentials = createCredentialStore(cluster, clients);
  const audit = await startAudit(settings, log);
  const events = createEventRecorder(cluster, 'imageferry-api');
  let stopping = false;
  const api = createApi({
    clients,
    caches,
    credentials,
    events,
    access: createAccessReviewer(cluster),
    workflows: createWorkflowGateway(temporal),
    lifecycle: {
      gateway: createLifecycleGateway(temporal),
      documents: createDocuments(cluster),
      engine: createCopyEngine(registries),
    },
    bundles: { ...bundleOffice(settings, clients), gateway: createBundleGateway(temporal) },
    verifier: createRegistryVerifier({ proxies }),
    audit,
    providers: await loadPlugins(settings.IMAGEFERRY_PLUGINS),
    ready: async () => {
      if (stopping) throw new Failure('ClusterUnavailable', { side: 'cluster', detail: 'shutting down' });
    },
    workerSilenceMs: workerSilence(cluster, log),
    log,
    rateLimits: { perSecond: settings.API_RATE_PER_SECOND, burst: settings.API_RATE_BURST },
    ...opener(settings),
    ...codecOrigin(settings),
    ...workflowLinks(settings),
  });
  const server = await serveApi(api, settings.API_HOST, settings.API_PORT);
  const tools = { clients, caches, credentials, events, outbox: audit.outbox };
  const endAdmission = await startAdmission(settings, cluster, tools);
  log.info({ url: server.url }, 'serving');
  const stop = async (): Promise<void> => {
    stopping = true;
    endAdmission();
    await server.close();
    caches.stop();
    await audit.stop();
    await Promise.all([registries.close(), temporal.connection.close()]);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop());
}

interface AdmissionTools {
  readonly clients: ResourceClients;
  readonly caches: WatchedCaches;
  readonly credentials: CredentialStore;
  readonly events: EventRecorder;
  readonly outbox: AuditOutbox;
}

/** For how long no worker was heard of; looked at for as long as the process lives. */
function workerSilence(cluster: ReturnType<typeof connectCluster>, log: Logger): () => number {
  const watch = watchPresence(cluster, (error) => log.warn({ err: error }, 'the worker cannot be looked at'));
  return () => watch.silenceMs();
}

/** Serves the webhooks and tells the API server of them. Where that fails the API works on without: so do the webhooks' policies. */
async function startAdmission(
  { WEBHOOK_URL: url, API_HOST: host }: ApiSettings,
  cluster: ReturnType<typeof connectCluster>,
  { clients, caches, credentials, events, outbox }: AdmissionTools,
): Promise<() => void> {
  if (url === undefined) return () => undefined;
  const { hostname, port, origin } = new URL(url);
  const registrySecrets = caches.cache('registrysecrets');
  const repositories = caches.cache('repositories');
  try {
    const { name: own } = await ownIdentity(cluster);
    const audit = new AdmissionAudit({ outbox, caches, events, own, log, now: () => new Date() });
    const secretName = secretNameOf;
    const objects = { clients, registrySecrets, repositories };
    const app = admissionWebhooks({ ...objects, credentials, audit, secretName });
    let identity = await webhookCertificate(cluster, hostname, new Date());
    const server = await serveAdmission(app, identity, { host, port: port === '' ? 443 : Number(port) });
    await registerWebhooks(cluster, origin, trustOf(identity));
    log.info({ url: origin }, 'serving admission webhooks');
    const renew = async (): Promise<void> => {
      const newest = await webhookCertificate(cluster, hostname, new Date());
      if (newest.certificate === identity.certificate) return;
      await registerWebhooks(cluster, origin, trustOf(newest));
      server.renew(newest);
      identity = newest;
      log.info('the certificate of the admission webhooks was renewed');
    };
    const look = (): void =>
      void renew().catch((error: unknown) => log.warn({ err: error }, 'the certificate cannot be looked at'));
    const timer = setInterval(look, certificateLookMs);
    return () => {
      clearInterval(timer);
      server.end();
    };
  } catch (error) {
    log.warn({ err: error }, 'the admission webhooks are off: the reconciler hides passwords a moment later');
    return () => undefined;
  }
}

function bundleOffice(
  settings: ApiSettings,
  clients: ResourceClients,
): { readonly desk: BundleDesk; readonly mail: SiteMail } {
  const store = new ObjectStore({
    region: settings.S3_REGION,
    bucket: settings.S3_BUCKET,
    allowHttp: settings.S3_ALLOW_HTTP === 'true',
    ...(settings.S3_ENDPOINT === undefined ? {} : { endpoint: settings.S3_ENDPOINT }),
  });
  const shelf = new BundleShelf(store);
  return { desk: new BundleDesk(shelf), mail: new SiteMail(shelf, clients, () => new Date()) };
}

function startAudit(settings: ApiSettings, log: Logger): Promise<OpenAudit> {
  const { S3_REGION: region, S3_ENDPOINT: endpoint, S3_BUCKET: bucket } = settings;
  const place = {
    stream: settings.AUDIT_STREAM,
    signingKeyFile: settings.AUDIT_SIGNING_KEY_FILE,
    spoolFolder: settings.AUDIT_SPOOL_DIR,
    retentionDays: settings.AUDIT_RETENTION_DAYS,
    checkpointBucket: settings.AUDIT_CHECKPOINT_BUCKET,
  };
  if (place.signingKeyFile === undefined)
    log.warn('AUDIT_SIGNING_KEY_FILE is not set: audit checkpoints are not signed');
  return openStoredAudit({ region, bucket, ...(endpoint === undefined ? {} : { endpoint }) }, place, {
    onTrouble: (error, what) => log.warn({ err: error }, `the audit log is in trouble: ${what}`),
  });
}

function opener({ TEMPORAL_CODEC_KEYS: keys }: ApiSettings): object {
  return keys === undefined ? {} : { payloads: payloadOpener(new SealingCodec(parseCodecKeys(keys))) };
}

/** The page of Temporal's UI asks the codec endpoint itself, from its own origin. */
function codecOrigin({ CODEC_ORIGIN: given, TEMPORAL_UI: ui }: ApiSettings): object {
  const page = given ?? ui;
  return page === undefined ? {} : { codecOrigin: new URL(page).origin };
}

function workflowLinks({ TEMPORAL_UI: ui, TEMPORAL_NAMESPACE: namespace }: ApiSettings): object {
  if (ui === undefined) return {};
  return {
    workflowUrl: (workflowId: string, runId: string) =>
      `${ui}/namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(workflowId)}/${runId}/history`,
  };
}
