import { apiGroup, apiVersion } from '../../domain/resources/meta.ts';
import type { Repository, RepositoryStatus } from '../../domain/resources/repository.ts';
import type { ResourceClients } from '../../infra/kubernetes/cluster.ts';

/** Calls to the API server at once. */
const lanes = 24;
/** Namespaces that the Repositories are spread over. */
export const namespaces = 20;

/** The name and namespace of the nth Repository. */
export const keyOf = (number: number): { readonly namespace: string; readonly name: string } => ({
  namespace: `team-${number % namespaces}`,
  name: `${number % 3 === 0 ? 'nginx' : 'app'}-${number}`,
});

/** Makes Repositories that were synced already: what is measured is a fleet at rest, not ten thousand copies. */
export async function makeRepositories(
  clients: ResourceClients,
  count: number,
  domain: string,
): Promise<void> {
  const repositories = clients.resource('repositories');
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let number = next++; number < count; number = next++) {
      const made = await repositories.create(repository(number));
      await repositories.applyStatus(made.metadata, made.metadata.uid ?? '', status(number, domain));
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

function repository(number: number): Repository {
  return {
    apiVersion: `${apiGroup}/${apiVersion}`,
    kind: 'Repository',
    metadata: { ...keyOf(number), annotations: { 'theriseunion.io/display-name': `Image ${number}` } },
    spec: {
      repository: path(number),
      tag: `v${number % 40}`,
      registryRef: { name: 'hub', namespace: 'default' },
      syncInterval: '24h',
    },
  };
}

const path = (number: number): string => `library/app-${number}`;
const digest = (number: number): string => `sha256:${number.toString(16).padStart(64, '0')}`;

function status(number: number, domain: string): RepositoryStatus {
  const time = new Date(1_790_000_000_000 + number * 1000).toISOString().replace('.000', '');
  const failed = number % 50 === 0;
  const image = `${path(number)}:v${number % 40}`;
  const records = Array.from({ length: 5 }, (_, index) => ({
    id: `${digest(number).slice(7, 43)}-${index}`,
    trigger: 'schedule' as const,
    result: failed ? ('Failed' as const) : ('Success' as const),
    started: time,
    ended: time,
    bytesMoved: 1000,
    bytesReused: 0,
    workflowId: `sync/team/${number}`,
    runId: `${index}`,
  }));
  return {
    observedGeneration: 1,
    domain,
    image,
    syncStatus: failed ? 'Failed' : 'Success',
    syncProgress: '100%',
    lastSynced: time,
    digest: digest(number),
    manifest: {
      architecture: 'amd64',
      os: 'linux',
      size: '142MB',
      layers: Array.from({ length: 8 }, (_, layer) => ({ digest: digest(layer), size: '17825792' })),
    },
    sites: [
      {
        site: 'edge',
        state: 'Synced',
        target: `${domain}/${path(number)}`,
        digest: digest(number),
        confirmed: time,
      },
    ],
    tags: [{ tag: `v${number % 40}`, digest: digest(number), state: 'Synced' }],
    versions: [{ tag: `v${number % 40}`, digest: digest(number), seen: time, placed: time }],
    history: records,
    conditions: [
      {
        type: 'Synced',
        status: failed ? 'False' : 'True',
        reason: failed ? 'Timeout' : 'Succeeded',
        message: `Synced ${image} / 同步成功`,
        lastTransitionTime: time,
        observedGeneration: 1,
      },
    ],
  };
}
