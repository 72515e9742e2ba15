import assert from 'node:assert/strict';
import { NotedAudit } from './noted-audit.ts';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createBundleActivities, createBundleCopyActivities } from '../../activities/bundle.ts';
import type { BundleDependencies } from '../../activities/bundle-dependencies.ts';
import { planBundle, type PlannedBundle } from '../../activities/bundle-plan.ts';
import { parseSiteName } from '../../domain/names/kubernetes-name.ts';
import { parseRepositoryPath } from '../../domain/names/repository-path.ts';
import type { StageOrder } from '../../domain/bundle/stage-plan.ts';
import type { EdgeSiteSpec } from '../../domain/resources/edge-site.ts';
import type { RepositorySpec } from '../../domain/resources/repository.ts';
import { BundleStager } from '../../infra/bundle/bundle-stager.ts';
import { RegistryClients } from '../../infra/registry/registry-client.ts';
import { createImageVerifier } from '../../infra/signature/image-verifier.ts';
import { createCopyEngine } from '../../infra/registry/registry-copy-engine.ts';
import { RegistryStore } from '../../infra/registry/registry-store.ts';
import { BundleShelf } from '../../infra/storage/bundle-shelf.ts';
import type { ObjectStore } from '../../infra/storage/object-store.ts';
import { MemoryCluster } from './memory-cluster.ts';
import { memoryDocuments } from './memory-documents.ts';
import { startRegistryProcess, type RegistryProcess } from './registry-process.ts';
import { startS3Process, type S3Process } from './s3-process.ts';
import { newSigner, rootOf, signRoot } from './signed-samples.ts';

const apiVersion = 'image.theriseunion.io/v1alpha1';
const signal = new AbortController().signal;

/** The hub's steps of a staging over a real registry and a real object store; the cluster is in memory. */
export class StageScene {
  readonly cluster = new MemoryCluster();
  readonly clients = new RegistryClients();
  readonly signer = newSigner();
  readonly rootBytes = signRoot(rootOf(1, [this.signer]), [this.signer]);
  readonly upstream: RegistryProcess;
  readonly s3: S3Process;
  /** Epoch milliseconds; a test moves it. */
  now = Date.now();
  readonly audit = new NotedAudit();
  #run = 0;

  private constructor(upstream: RegistryProcess, s3: S3Process) {
    this.upstream = upstream;
    this.s3 = s3;
  }

  static async open(): Promise<StageScene> {
    const [upstream, s3] = await Promise.all([startRegistryProcess(), startS3Process()]);
    return new StageScene(upstream, s3);
  }

  /** What the steps are handed; a store that misbehaves may stand in front of the real one. */
  deps(store: ObjectStore = this.s3.store): BundleDependencies {
    const keys = { signers: [this.signer], roots: [{ version: 1, bytes: this.rootBytes }] };
    const registry = { domain: this.upstream.domain, provider: 'other' };
    return {
      resources: this.cluster,
      credentials: { ...this.cluster.credentials, registryAccess: async () => registry },
      events: this.cluster.recorder,
      audit: this.audit,
      engine: createCopyEngine(this.clients),
      documents: memoryDocuments(),
      stager: new BundleStager(new BundleShelf(store), this.clients, { read: async () => keys }),
      signatures: createImageVerifier(this.clients),
      publicKeys: { read: () => assert.fail('not asked for') },
      collect: () => assert.fail('not asked for'),
      emptyInbox: () => assert.fail('not asked for'),
      now: () => this.now,
    };
  }

  async site(name: string, spec: Partial<EdgeSiteSpec> = {}): Promise<void> {
    await this.cluster.resource('edgesites').create({
      apiVersion,
      kind: 'EdgeSite',
      metadata: { name: parseSiteName(name) },
      spec: { mode: 'offline', registry: { domain: 'edge.example' }, ...spec },
    });
  }

  async repository(name: string, spec: Partial<RepositorySpec> & { sites: string[] }): Promise<void> {
    await this.cluster.resource('repositories').create({
      apiVersion,
      kind: 'Repository',
      metadata: { namespace: 'default', name },
      spec: { repository: `apps/${name}`, tag: 'v1', registryRef: { name: 'hub' }, ...spec },
    });
  }

  store(path: string): RegistryStore {
    const access = { domain: this.upstream.domain, provider: 'other' };
    return new RegistryStore(this.clients.of(access), parseRepositoryPath(path), 'destination');
  }

  /** The first step, in a run of its own. */
  plan(order: StageOrder, deps = this.deps(), run = `run-${(this.#run += 1)}`): Promise<PlannedBundle> {
    return planBundle(deps, { ...order, run }, signal);
  }

  /** All steps, as the workflow takes them. */
  async stage(order: StageOrder, deps = this.deps()): Promise<PlannedBundle> {
    const bundle = await this.plan(order, deps);
    if (bundle.upToDate !== true) await this.finish(bundle, deps);
    return bundle;
  }

  async finish(bundle: PlannedBundle, deps = this.deps()): Promise<void> {
    const copying = createBundleCopyActivities(deps);
    if (bundle.limited === true) await beating(() => copying.measureBundle(bundle));
    for (let index = 0; index < bundle.images; index += 1) {
      await beating(() => copying.stageImage({ bundle, index }));
    }
    await beating(() => createBundleActivities(deps).publishBundle(bundle));
  }

  async close(): Promise<void> {
    await this.clients.close();
    await Promise.all([this.upstream.stop(), this.s3.stop()]);
  }
}

async function beating<T>(step: () => Promise<T>): Promise<T> {
  return (await new MockActivityEnvironment(undefined, { logger: new DefaultLogger('ERROR') }).run(
    step,
  )) as T;
}
