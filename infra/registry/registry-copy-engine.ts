import type { Descriptor } from '../../domain/image/descriptor.ts';
import { Failure } from '../../domain/failure.ts';
import type { Digest } from '../../domain/names/digest.ts';
import { printReference } from '../../domain/names/reference.ts';
import type { TagName } from '../../domain/names/tag.ts';
import type { SiteSource } from '../../domain/resources/edge-site.ts';
import type { ManifestStatus } from '../../domain/resources/repository.ts';
import { BlobGuesses } from '../copy/blob-guesses.ts';
import type { ContentSource, StoreIdentity, UploadMemory } from '../copy/content.ts';
import type { CopyContext } from '../copy/copy-graph.ts';
import { copyImage, copyImageToMany, type ImageCopyOptions } from '../copy/copy-image.ts';
import type {
  CopyEngine,
  CopyHooks,
  CopyOutcome,
  CopyReport,
  CopyRequest,
  CopyToManyRequest,
  RepositoryEndpoint,
} from '../copy/engine.ts';
import { ManifestCache } from '../copy/manifest-cache.ts';
import { ProvenParts } from '../copy/proven-parts.ts';
import { SeveralSources } from '../copy/several-sources.ts';
import { SingleFlight } from '../copy/single-flight.ts';
import { StagingJanitor } from '../copy/staging-janitor.ts';
import { UploadMap } from '../copy/upload-map.ts';
import { verifyGraph } from '../copy/verify-graph.ts';
import { describeImage } from '../copy/describe-image.ts';
import type { RegistryClients } from './registry-client.ts';
import { RegistryStore } from './registry-store.ts';
import { listAllTags } from './tag-list.ts';
import type { TransferSlots } from './transfer-slots.ts';

/**
 * The copy engine over registries. One per process: budgets, tokens and connections are shared by all its copies.
 * `uploads`: where uploads that were cut off are noted. Default: in this process, and gone with it. `pool`: the pool of
 * bundles as the source of an image. Default: none is in reach.
 */
export function createCopyEngine(
  clients: RegistryClients,
  uploads?: UploadMemory,
  pool?: (root: Descriptor) => ContentSource,
): CopyEngine {
  return new RegistryCopyEngine(clients, uploads ?? new UploadMap(), pool);
}

class RegistryCopyEngine implements CopyEngine {
  readonly #clients: RegistryClients;
  readonly #flights = new SingleFlight();
  readonly #proven = new ProvenParts();
  readonly #guesses = new BlobGuesses();
  readonly #janitor = new StagingJanitor();
  readonly #manifests = new ManifestCache();
  readonly #uploads: UploadMemory;

  readonly #pool: ((root: Descriptor) => ContentSource) | undefined;

  constructor(
    clients: RegistryClients,
    uploads: UploadMemory,
    pool: ((root: Descriptor) => ContentSource) | undefined,
  ) {
    this.#clients = clients;
    this.#uploads = uploads;
    this.#pool = pool;
  }

  resolve(
    endpoint: RepositoryEndpoint,
    reference: TagName | Digest,
    signal?: AbortSignal,
  ): Promise<Descriptor | undefined> {
    return this.#store(endpoint, 'source').resolve(reference, signal);
  }

  listTags(endpoint: RepositoryEndpoint, signal?: AbortSignal): Promise<readonly TagName[]> {
    const { registry, path } = endpoint;
    return listAllTags(
      this.#clients.of(registry).session,
      path,
      { path, actions: ['pull'] },
      { side: 'source', subject: `${registry.domain}/${path}` },
      signal,
    );
  }

  async copy(request: CopyRequest, hooks: CopyHooks = {}): Promise<CopyReport> {
    const upstream = this.#store(request.source, 'source');
    const target = this.#store(request.target, 'destination');
    refuseSelf(request, upstream, target);
    const { limiter, from = 'upstream', root } = request;
    const sources = this.#sources(upstream, from, root);
    const context = this.#context([request.target], hooks.signal);
    const report = await copyImage(sources ?? upstream, target, root, context, {
      ...this.#options(request, hooks),
      ...(limiter === undefined ? {} : { limiter }),
    });
    return sources?.servedBy === undefined ? report : { ...report, servedBy: sources.servedBy };
  }

  /** Undefined where upstream is the only one. Throws `StorageUnavailable` where only the pool is wanted and none is in reach. */
  #sources(upstream: ContentSource, from: SiteSource, root: Descriptor): SeveralSources | undefined {
    if (from === 'upstream') return undefined;
    const pool = this.#pool?.(root);
    if (from === 'auto') return new SeveralSources({ ...(pool === undefined ? {} : { pool }), upstream });
    if (pool !== undefined) return new SeveralSources({ pool });
    throw new Failure('StorageUnavailable', { side: 'storage', detail: 'this worker is given no pool' });
  }

  async copyToMany(request: CopyToManyRequest, hooks: CopyHooks = {}): Promise<readonly CopyOutcome[]> {
    const source = this.#store(request.source, 'source');
    const targets = request.targets.map(({ endpoint, ...own }) => {
      const target = this.#store(endpoint, 'destination');
      refuseSelf({ ...request, target: endpoint }, source, target);
      return { target, ...own };
    });
    const endpoints = request.targets.map(({ endpoint }) => endpoint);
    const context = this.#context(endpoints, hooks.signal);
    return copyImageToMany(source, targets, request.root, context, this.#options(request, hooks));
  }

  describe(endpoint: RepositoryEndpoint, root: Descriptor, signal?: AbortSignal): Promise<ManifestStatus> {
    return describeImage(this.#store(endpoint, 'source'), root, signal);
  }

  verifyGraph(
    endpoint: RepositoryEndpoint,
    root: Digest,
    options: { readonly deep?: boolean; readonly signal?: AbortSignal } = {},
  ): Promise<void> {
    return verifyGraph(this.#store(endpoint, 'source'), root, options);
  }

  #context(targets: readonly RepositoryEndpoint[], signal: AbortSignal | undefined): CopyContext {
    const budgets = new Map(
      targets
        .map(({ registry }) => this.#clients.of(registry))
        .map((client) => [client.session.origins.registry, client.session.budget.writes]),
    );
    return {
      flights: this.#flights,
      proven: this.#proven,
      guesses: this.#guesses,
      janitor: this.#janitor,
      manifests: this.#manifests,
      limit: (task, stores, bytes) => withPlaces(placesOf(budgets, stores), { bytes, task }, signal),
    };
  }

  #options(request: Omit<CopyRequest, 'target' | 'limiter'>, hooks: CopyHooks): ImageCopyOptions {
    const { tag, mountFrom, platforms, referrers, recheck } = request;
    return {
      ...hooks,
      memory: hooks.uploads ?? this.#uploads,
      ...(tag === undefined ? {} : { tag }),
      ...(mountFrom === undefined ? {} : { mountFrom }),
      ...(platforms === undefined ? {} : { platforms }),
      ...(referrers === undefined ? {} : { referrers }),
      ...(recheck === undefined ? {} : { recheck }),
    };
  }

  #store(endpoint: RepositoryEndpoint, role: 'source' | 'destination'): RegistryStore {
    return new RegistryStore(this.#clients.of(endpoint.registry), endpoint.path, role);
  }
}

/** Places for a transfer at all its targets, always asked for in one order, so that no two transfers wait for each other. */
function placesOf(
  budgets: ReadonlyMap<string, TransferSlots>,
  targets: readonly StoreIdentity[],
): readonly TransferSlots[] {
  return [...budgets]
    .filter(([origin]) => targets.some(({ key }) => key.startsWith(`${origin}/`)))
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([, slots]) => slots);
}

function withPlaces<T>(
  [first, ...rest]: readonly TransferSlots[],
  transfer: { readonly bytes: number; readonly task: () => Promise<T> },
  signal: AbortSignal | undefined,
): Promise<T> {
  if (first === undefined) return transfer.task();
  return first.run(transfer.bytes, () => withPlaces(rest, transfer, signal), signal);
}

/** Copying a tag onto itself would only hide a mistake. */
function refuseSelf(
  request: Pick<CopyRequest, 'tag' | 'sourceTag' | 'target'>,
  source: RegistryStore,
  target: RegistryStore,
): void {
  if (source.key !== target.key || request.tag === undefined) return;
  if (request.sourceTag !== request.tag) return;
  throw new Failure('SameSourceAndDestination', {
    side: 'caller',
    subject: printReference({
      domain: request.target.registry.domain,
      path: request.target.path,
      tag: request.tag,
    }),
  });
}
