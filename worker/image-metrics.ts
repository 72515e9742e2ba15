import { Counter, Gauge, type Registry } from 'prom-client';
import type { RegistrySecret } from '../domain/resources/registry-secret.ts';
import type { Repository } from '../domain/resources/repository.ts';
import type { ConnectionCounter, PullCounter } from '../activities/dependencies.ts';
import type { ResourceCache } from '../infra/kubernetes/cluster.ts';
import type { QueueGauge } from './reconcile/dependencies.ts';
import type { SealGauge } from './reconcile/seals.ts';

/** The objects that the gauges are read from, at every scrape: they are right after a restart, too. */
export interface ObservedCaches {
  cache(plural: 'repositories'): ResourceCache<'repositories'>;
  cache(plural: 'registrysecrets'): ResourceCache<'registrysecrets'>;
}

/** Registers the gauges that the contract's alerts and dashboards use (contract.md, section 7). */
export function registerImageGauges(registry: Registry, caches: ObservedCaches): void {
  const repositories = caches.cache('repositories');
  const secrets = caches.cache('registrysecrets');
  gauge(registry, 'image_sync_failures', 'Syncs of an image that failed since one went well', () =>
    repositories.list().map((object) => [labels(object), failuresInARow(object)]),
  );
  gauge(registry, 'image_versions', 'Versions of an image that are kept', () =>
    repositories.list().map((object) => [labels(object), versions(object)]),
  );
  gauge(
    registry,
    'image_registry_connection_failures',
    '1 while the last test of the connection to a registry failed',
    () => secrets.list().map((secret) => [{ registry_name: secret.metadata.name }, unreachable(secret)]),
    ['registry_name'],
  );
}

/** Counts images fetched from registries by this process. */
export function createPullCounter(registry: Registry): PullCounter {
  const options = { labelNames: ['registry_name', 'image'] as const, registers: [registry] };
  const total = new Counter({ ...options, name: 'image_pull_total', help: 'Images fetched from a registry' });
  const good = new Counter({
    ...options,
    name: 'image_pull_success_total',
    help: 'Images fetched from a registry, whole and read back',
  });
  return {
    count(registryName, image, succeeded) {
      total.inc({ registry_name: registryName, image });
      if (succeeded) good.inc({ registry_name: registryName, image });
    },
  };
}

/** Counts connections to registries that were lost or came back; what comes and goes counts once. */
export function createConnectionCounter(registry: Registry): ConnectionCounter {
  const turns = new Counter({
    name: 'imageferry_registry_connection_turns_total',
    help: 'Connections to a registry that were lost or came back',
    labelNames: ['registry_name', 'to'] as const,
    registers: [registry],
  });
  return { count: (registrySecret, turn) => turns.inc({ registry_name: registrySecret, to: turn }) };
}

/** Shows the depth of the reconcilers' queues. */
export function createQueueGauge(registry: Registry): QueueGauge {
  const queues = new Map<string, () => number>();
  gauge(
    registry,
    'imageferry_reconcile_queue_depth',
    'Objects that wait for the reconciler, are looked at, or are tried again',
    () => [...queues].map(([kind, depth]) => [{ kind }, depth()]),
    ['kind'],
  );
  return { watch: (kind, depth) => void queues.set(kind, depth) };
}

/** Shows which keys but the first one still seal Schedules; nothing before they were looked at. */
export function createSealGauge(registry: Registry): SealGauge {
  let shown: ReadonlyMap<string, number> = new Map();
  gauge(
    registry,
    'imageferry_schedules_sealed_otherwise',
    'Temporal Schedules that are not sealed with the first key, by the id of the key that seals them',
    () => [...shown].map(([key, schedules]) => [{ key }, schedules]),
    ['key'],
  );
  return { show: (schedules) => void (shown = new Map(schedules)) };
}

type Sample = readonly [Readonly<Record<string, string>>, number];

function gauge(
  registry: Registry,
  name: string,
  help: string,
  samples: () => readonly Sample[],
  labelNames: readonly string[] = ['registry_name', 'image'],
): void {
  const metric = new Gauge({
    name,
    help,
    labelNames,
    registers: [registry],
    collect() {
      metric.reset();
      for (const [labels, value] of samples()) metric.inc({ ...labels }, value);
    },
  });
}

const labels = ({ spec }: Repository): Sample[0] => ({
  registry_name: spec.registryRef.name,
  image: spec.repository,
});

const versions = ({ status }: Repository): number =>
  new Set((status?.versions ?? []).map(({ digest }) => digest)).size;

function failuresInARow({ status }: Repository): number {
  const finished = (status?.history ?? []).filter(
    ({ result }) => result !== 'Cancelled' && result !== 'Waiting',
  );
  const good = finished.findIndex(({ result }) => result !== 'Failed');
  return good < 0 ? finished.length : good;
}

const unreachable = ({ status }: RegistrySecret): number =>
  status?.conditions?.some(({ type, status: value }) => type === 'Verified' && value === 'False') === true
    ? 1
    : 0;
