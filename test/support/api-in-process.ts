import pino from 'pino';
import { createApi, type ApiApp } from '../../api/app.ts';
import type { ApiDependencies } from '../../api/dependencies.ts';
import { batchProgress, waitingResult, type BatchInput } from '../../domain/batch/operation.ts';
import type { Failure } from '../../domain/failure.ts';
import { builtInProviders } from '../../domain/resources/registry-secret.ts';
import type { AccessQuestion, AccessReviewer, Caller } from '../../infra/kubernetes/cluster.ts';
import { ChainedAuditLog } from '../../infra/audit/chained-audit-log.ts';
import { StoredAuditReader } from '../../infra/audit/stored-audit-reader.ts';
import { SpooledOutbox } from '../../infra/audit/spooled-outbox.ts';
import { MemoryAuditObjects, MemorySpool } from './memory-audit.ts';
import { MemoryCluster } from './memory-cluster.ts';

/** The API's base path. */
export const base = '/oapis/image.theriseunion.io/v1alpha1';

/** A reviewer that knows the tokens it is given and may refuse or break. */
export class ScriptedAccess implements AccessReviewer {
  readonly asked: AccessQuestion[] = [];
  authentications = 0;
  failure: Failure | undefined;
  allow: (caller: Caller, question: AccessQuestion) => boolean = () => true;

  async authenticate(token: string): Promise<Caller | undefined> {
    this.authentications += 1;
    if (this.failure !== undefined) throw this.failure;
    return token.endsWith('-token') ? caller(token.slice(0, -'-token'.length)) : undefined;
  }

  async authorize(who: Caller, question: AccessQuestion): Promise<boolean> {
    if (this.failure !== undefined) throw this.failure;
    this.asked.push(question);
    return this.allow(who, question);
  }
}

const caller = (username: string): Caller => ({ username, uid: `uid-${username}`, groups: [], extra: {} });

/** An app whose surroundings are in memory and misbehave when told to. */
export interface InProcessApi {
  readonly app: ApiApp;
  readonly cluster: MemoryCluster;
  readonly access: ScriptedAccess;
  readonly audit: MemoryAuditObjects;
  /** Calls as `admin`; `path` is below the base. */
  readonly call: (
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ) => Promise<Response>;
}

/** Builds one. `overrides` replaces single parts. */
export function inProcessApi(overrides: Partial<ApiDependencies> = {}): InProcessApi {
  const cluster = new MemoryCluster();
  const batches = new Map<string, BatchInput>();
  const access = new ScriptedAccess();
  const objects = new MemoryAuditObjects();
  const app = createApi({
    clients: cluster,
    caches: cluster,
    credentials: cluster.credentials,
    events: cluster.recorder,
    access,
    workflows: {
      startSync: async (ref) => run(`sync/${ref.namespace}/${ref.name}`),
      cancelSync: async () => false,
      ensureSchedule: async (_ref, plan) => plan,
      newestSync: async () => undefined,
      deleteSchedule: async () => {},
      tellEdited: async () => false,
      scheduledRepositories: async () => [],
      startVerify: async (ref) => run(`verify/${ref.namespace}/${ref.name}`),
      startBatch: async (input) => {
        batches.set(input.id, input);
        return run(`batch/${input.id}`);
      },
      batchProgress: async (id) => {
        const input = batches.get(id);
        return input === undefined ? undefined : batchProgress(input, input.items.map(waitingResult));
      },
      awaitVerify: async () => {
        if (cluster.fail.awaitVerify !== undefined) throw cluster.fail.awaitVerify;
        return { success: true };
      },
    },
    lifecycle: {
      gateway: {
        startCleanup: async (ref) => run(`cleanup/${ref.namespace}/${ref.name}`),
        approvePlan: async () => {},
        restoreTags: async () => ({ parked: 0, deleted: 0, restored: 1, skipped: 0, freedBytes: 0 }),
        cancelCleanup: async () => false,
        startRollback: async (ref) => run(`rollback/${ref.namespace}/${ref.name}`),
        awaitRollback: async () => true,
      },
      documents: { read: async () => undefined },
      engine: {
        resolve: async () => undefined,
        describe: async () => ({ architecture: 'amd64', os: 'linux', size: '0B', layers: [] }),
      },
    },
    audit: {
      outbox: new SpooledOutbox(
        new ChainedAuditLog(objects, { stream: 'api', now: () => new Date() }),
        new MemorySpool(),
        Date.now,
      ),
      reader: new StoredAuditReader(objects),
    },
    verifier: { verify: async () => ({ capabilities: [] }) },
    providers: builtInProviders,
    ready: async () => {},
    log: pino({ level: 'silent' }),
    ...overrides,
  });
  const call = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
    app.request(base + path, {
      method,
      headers: {
        authorization: 'Bearer admin-token',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
  return { app, cluster, access, audit: objects, call };
}

const run = (workflowId: string) => ({ workflowId, runId: 'run', alreadyRunning: false });

/** A RegistrySecret as a client of the contract posts it. */
export const newSecret = (name: string, spec: object = {}) => ({
  apiVersion: 'image.theriseunion.io/v1alpha1',
  kind: 'RegistrySecret',
  metadata: { name, annotations: { 'theriseunion.io/display-name': `Source ${name}` } },
  spec: {
    domain: 'harbor.example.com',
    username: 'u',
    password: 'canary-password',
    provider: 'harbor',
    ...spec,
  },
});

/** A Repository as a client of the contract posts it. */
export const newRepository = (name: string, spec: object = {}) => ({
  apiVersion: 'image.theriseunion.io/v1alpha1',
  kind: 'Repository',
  metadata: { name },
  spec: { repository: 'library/nginx', tag: '1.27', registryRef: { name: 'hub' }, ...spec },
});
