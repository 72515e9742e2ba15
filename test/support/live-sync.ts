import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { EventsV1Api, type EventsV1Event } from '@kubernetes/client-node';
import { apiGroup, apiVersion, type Condition, type ObjectRef } from '../../domain/resources/meta.ts';
import type { RegistrySecretSpec } from '../../domain/resources/registry-secret.ts';
import type { EdgeSiteSpec } from '../../domain/resources/edge-site.ts';
import type {
  Repository,
  RepositorySpec,
  SyncRecord,
  SyncTrigger,
} from '../../domain/resources/repository.ts';
import { resyncScheduleId, syncWorkflowId } from '../../domain/sync/ids.ts';
import { connectCluster } from '../../infra/kubernetes/connection.ts';
import { createResourceClients } from '../../infra/kubernetes/resource-client.ts';
import { connectTemporal } from '../../infra/temporal/connection.ts';
import { sharedDataConverter } from '../../infra/temporal/data-converter.ts';
import { createWorkflowGateway } from '../../infra/temporal/workflow-gateway.ts';
import { endpoints } from './stack.ts';

const version = `${apiGroup}/${apiVersion}` as const;

/** The running stack as a test of syncs sees it, in one namespace; close it at the end. */
export function liveSync(namespace = 'default') {
  const { kubeconfig, temporalAddress: address, temporalNamespace } = endpoints();
  const cluster = connectCluster(kubeconfig);
  const resources = createResourceClients(cluster);
  const dataConverter = sharedDataConverter(process.env['TEMPORAL_CODEC_KEYS']);
  const temporal = connectTemporal({ address, namespace: temporalNamespace, dataConverter });
  const repositories = resources.resource('repositories');
  const gateway = createWorkflowGateway(temporal);
  const unique = (name: string): string => `${name}-${randomBytes(3).toString('hex')}`;

  /** As `kubectl apply` of a credential; its name. */
  async function secret(spec: Omit<RegistrySecretSpec, 'provider'>): Promise<string> {
    const name = unique('live');
    await resources.resource('registrysecrets').create({
      apiVersion: version,
      kind: 'RegistrySecret',
      metadata: { name, namespace },
      spec: { provider: 'other', ...spec },
    });
    return name;
  }

  /** As `kubectl apply` of a Repository; its name. */
  async function repository(
    secretName: string,
    spec: Partial<RepositorySpec> & Pick<RepositorySpec, 'repository' | 'tag'>,
  ): Promise<string> {
    const name = unique('live');
    await repositories.create({
      apiVersion: version,
      kind: 'Repository',
      metadata: { name, namespace },
      spec: { registryRef: { name: secretName }, ...spec },
    });
    return name;
  }

  const get = async (name: string): Promise<Repository> => {
    const found = await repositories.get({ namespace, name });
    assert.ok(found !== undefined, name);
    return found;
  };

  /** Waits for the `count`th sync to be recorded; the newest record. */
  async function ended(
    name: string,
    count = 1,
    ms?: number,
  ): Promise<{ readonly object: Repository; readonly record: SyncRecord }> {
    const object = await until(
      `sync ${count} of ${name}`,
      async () => {
        const found = await get(name);
        return (found.status?.history?.length ?? 0) >= count ? found : undefined;
      },
      ms,
    );
    const record = object.status?.history?.[0];
    assert.ok(record !== undefined);
    return { object, record };
  }

  /** Starts a sync of its own, after any that is under way, and waits until it is written down. */
  async function syncs(
    name: string,
    trigger: SyncTrigger = 'manual',
  ): Promise<{ readonly object: Repository; readonly record: SyncRecord }> {
    const runId = await until('a run of our own', async () => {
      const start = await gateway.startSync({ namespace, name }, trigger);
      return start.alreadyRunning ? undefined : start.runId;
    });
    return until(`run ${runId} of ${name}`, async () => {
      const object = await get(name);
      const record = object.status?.history?.find((one) => one.runId === runId);
      return record === undefined ? undefined : { object, record };
    });
  }

  /** A further site on the same registry, filled with at most so many bytes per second; its name. */
  async function slowSite(
    domain: string,
    bandwidth: number,
    more: Partial<EdgeSiteSpec> = {},
  ): Promise<string> {
    const name = unique('slow');
    await resources.resource('edgesites').create({
      apiVersion: version,
      kind: 'EdgeSite',
      metadata: { name },
      spec: { registry: { domain, credentialSecretName: 'site-edge' }, bandwidth, ...more },
    });
    return name;
  }

  const events = cluster.makeApiClient(EventsV1Api);
  async function eventsOf(uid: string): Promise<readonly EventsV1Event[]> {
    const { items } = await events.listNamespacedEvent({ namespace });
    return items.filter(({ regarding }) => regarding?.uid === uid);
  }

  async function pendingCopies(ref: ObjectRef) {
    const handle = temporal.workflow.getHandle(syncWorkflowId(ref));
    const pending = await handle.describe().then(
      ({ raw }) => raw.pendingActivities ?? [],
      () => [],
    );
    return pending.filter(({ activityType }) => activityType?.name === 'copyImage');
  }
  /** Copies of a Repository that move bytes by now. */
  const copies = async (ref: ObjectRef): Promise<number> =>
    (await pendingCopies(ref)).filter(({ heartbeatDetails }) => heartbeatDetails?.payloads?.length === 1)
      .length;
  /** Copies of a Repository that no worker has taken yet. */
  const waiting = async (ref: ObjectRef): Promise<number> =>
    (await pendingCopies(ref)).filter(({ lastStartedTime }) => lastStartedTime == null).length;

  async function hasSchedule(ref: ObjectRef): Promise<boolean> {
    const handle = temporal.schedule.getHandle(resyncScheduleId(ref));
    return handle.describe().then(
      () => true,
      () => false,
    );
  }

  return {
    slowSite,
    eventsOf,
    copies,
    waiting,
    hasSchedule,
    resources,
    temporal,
    gateway,
    namespace,
    unique,
    secret,
    repository,
    get,
    ended,
    syncs,
    close: () => temporal.connection.close(),
  };
}

/** The condition `Synced`. */
export function synced({ status }: Repository): Condition {
  const condition = status?.conditions?.find(({ type }) => type === 'Synced');
  assert.ok(condition !== undefined, 'no condition Synced');
  return condition;
}

/** Asks every 50 ms until there is an answer. Fails after `ms` milliseconds. */
export async function until<T>(what: string, ask: () => Promise<T | undefined>, ms = 60_000): Promise<T> {
  for (const end = performance.now() + ms; performance.now() < end; await sleep(50)) {
    const answer = await ask();
    if (answer !== undefined) return answer;
  }
  return assert.fail(`${what}: not within ${ms / 1000} s`);
}
