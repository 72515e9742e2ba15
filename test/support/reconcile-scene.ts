import pino from 'pino';
import { Failure } from '../../domain/failure.ts';
import type { ObjectRef } from '../../domain/resources/meta.ts';
import type { RegistrySecret } from '../../domain/resources/registry-secret.ts';
import type { Repository, RepositoryStatus } from '../../domain/resources/repository.ts';
import type { ResourceCache } from '../../infra/kubernetes/cluster.ts';
import type { ScheduleState, SyncRun, WorkflowGateway } from '../../infra/temporal/gateway.ts';
import { RepositoryReconciler } from '../../worker/reconcile/repositories.ts';
import { MemoryCluster } from './memory-cluster.ts';

const version = 'image.theriseunion.io/v1alpha1' as const;
/** The one Repository. */
export const ref = { namespace: 'shop', name: 'app' };
/** As it is after its first sync. */
export const synced: RepositoryStatus = { observedGeneration: 1, syncStatus: 'Success', sites: [] };

/** Temporal as far as the reconcilers see it; like it, it starts one run per id. */
export class MemoryGateway {
  readonly calls: string[] = [];
  readonly schedules = new Map<string, ScheduleState>();
  readonly runs = new Map<string, SyncRun & { readonly request?: string }>();
  /** What happens between the wish for a sync and its start. */
  whileStarting = async (): Promise<void> => {};

  get gateway(): WorkflowGateway {
    const key = ({ namespace, name }: ObjectRef): string => `${namespace}/${name}`;
    const done = async (call: string): Promise<void> => void this.calls.push(call);
    const own: Partial<WorkflowGateway> = {
      startSync: async (at, trigger, request, isWanted) => {
        await this.whileStarting();
        const isUnwanted = (await isWanted?.()) === false;
        const before = this.runs.get(key(at));
        if (isUnwanted) {
          if (before === undefined) throw new Failure('Superseded');
          return { ...before, alreadyRunning: before.isOpen };
        }
        const run = { workflowId: `sync/${key(at)}`, runId: '1', isOpen: true, trigger, started: 'now' };
        const isServed = before?.isOpen === true || (request !== undefined && before?.request === request);
        if (!isServed) {
          this.runs.set(key(at), { ...run, ...(request === undefined ? {} : { request }) });
          await done(`start ${trigger}`);
        }
        return { ...run, alreadyRunning: isServed };
      },
      tellEdited: async (at) => {
        const isOpen = this.runs.get(key(at))?.isOpen === true;
        await done(isOpen ? 'tell' : 'tell nobody');
        return isOpen;
      },
      newestSync: async (at) => this.runs.get(key(at)),
      cancelSync: async (_at, runId) => {
        await done(`cancel${runId === undefined ? '' : ` run ${runId}`}`);
        return true;
      },
      ensureSchedule: async (at, plan) => {
        await done(`schedule every ${plan.everyMs}`);
        const state = { ...plan, ...this.schedules.get(key(at)) };
        this.schedules.set(key(at), state);
        return state;
      },
      deleteSchedule: async (at) => {
        this.schedules.delete(key(at));
        await done('unschedule');
      },
      scheduledRepositories: async () =>
        [...this.schedules].map(([name, state]) =>
          Object.assign(
            { ref: { namespace: name.split('/')[0] ?? '', name: name.split('/')[1] ?? '' } },
            state,
          ),
        ),
      startVerify: async () => ({ workflowId: 'v', runId: '1', alreadyRunning: false }),
    };
    return own as WorkflowGateway;
  }
}

/** A Repository and its registry, and the reconciler that looks after it. */
export async function scene(change: Partial<Repository> = {}) {
  const cluster = new MemoryCluster();
  const temporal = new MemoryGateway();
  const secret: RegistrySecret = {
    apiVersion: version,
    kind: 'RegistrySecret',
    metadata: { name: 'hub', namespace: 'shop' },
    spec: { domain: 'hub.example', username: 'u', password: '<encrypted>', provider: 'other' },
  };
  await cluster.resource('registrysecrets').create(secret);
  const repository: Repository = {
    apiVersion: version,
    kind: 'Repository',
    metadata: { ...ref, generation: 1 },
    spec: { repository: 'a/b', tag: 'v1', registryRef: { name: 'hub' } },
    ...change,
  };
  await cluster.resource('repositories').create(repository);
  const deps = {
    clients: cluster,
    caches: cluster,
    credentials: cluster.credentials,
    events: cluster.recorder,
    workflows: temporal.gateway,
    log: pino({ level: 'silent' }),
    now: () => Date.parse('2026-01-01T00:00:00Z'),
  };
  return { cluster, temporal, deps, reconciler: new RepositoryReconciler(deps) };
}

/** What is watched, as it was before something happened that the watch has not told yet. */
export function behind(cluster: MemoryCluster, seen: Repository | undefined) {
  const repositories: ResourceCache<'repositories'> = {
    ...cluster.cache('repositories'),
    get: () => seen,
  };
  return {
    cache: (plural: string) => (plural === 'repositories' ? repositories : cluster.cache(plural as never)),
  } as unknown as MemoryCluster;
}
