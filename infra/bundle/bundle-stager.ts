import { planDelta, type DeltaPlan, type WantedImage } from '../../domain/bundle/delta.ts';
import { checkBundleSize } from '../../domain/bundle/limits.ts';
import { layoutIndex } from '../../domain/bundle/layout-index.ts';
import { parseStatement } from '../../domain/bundle/parse-statement.ts';
import type { BundleMark } from '../../domain/bundle/site-state.ts';
import type { StagedImage, StagePlan } from '../../domain/bundle/stage-plan.ts';
import { printStatement, statementPayloadType, type BundleStatement } from '../../domain/bundle/statement.ts';
import { Failure } from '../../domain/failure.ts';
import type { Descriptor } from '../../domain/image/descriptor.ts';
import { parseManifest } from '../../domain/image/manifest.ts';
import type { Digest } from '../../domain/names/digest.ts';
import type { SiteName } from '../../domain/names/kubernetes-name.ts';
import type { TagName } from '../../domain/names/tag.ts';
import { parseEnvelope, requireThreshold } from '../../domain/trust/envelope.ts';
import { pinRoot, succeedRoot } from '../../domain/trust/trust-root.ts';
import { copyImage } from '../copy/copy-image.ts';
import type { CopyHooks, RepositoryEndpoint } from '../copy/engine.ts';
import { loadGraph } from '../copy/image-graph.ts';
import { inParallel } from '../copy/in-parallel.ts';
import { ManifestCache } from '../copy/manifest-cache.ts';
import { ProvenParts } from '../copy/proven-parts.ts';
import { SingleFlight } from '../copy/single-flight.ts';
import type { RegistryClients } from '../registry/registry-client.ts';
import { RegistryStore } from '../registry/registry-store.ts';
import { Slots } from '../registry/slots.ts';
import { BlobPool } from '../storage/blob-pool.ts';
import { SharedFlights } from '../storage/shared-flights.ts';
import type { BundleShelf } from '../storage/bundle-shelf.ts';
import { sha256, signEnvelope, verifyEd25519 } from '../trust/ed25519.ts';
import { sweepFlight } from './collect-bundles.ts';
import { parseImageRecord, type ImageRecord } from './image-record.ts';
import { knownContent } from './known-content.ts';
import { measureBundle } from './measure-bundle.ts';
import { PooledSource } from './pooled-source.ts';
import type { SigningKeys } from './signing-keys.ts';

/** Blobs on their way into the pool at a time, in one process. */
const transfers = 4;

/** Sizes of a published bundle. */
export interface PublishedBundle extends BundleMark {
  readonly images: number;
  readonly bytes: DeltaPlan['bytes'];
}

/** Stages bundles: images into the pool, then a signed manifest that says what of it a site gets. */
export class BundleStager {
  readonly shelf: BundleShelf;
  readonly #clients: RegistryClients;
  readonly #keys: SigningKeys;
  readonly #shared: SharedFlights;
  readonly #blobs = new SingleFlight();
  readonly #images = new SingleFlight();
  readonly #slots = new Slots(transfers);

  constructor(shelf: BundleShelf, clients: RegistryClients, keys: SigningKeys) {
    this.shelf = shelf;
    this.#shared = new SharedFlights(shelf.store);
    this.#clients = clients;
    this.#keys = keys;
  }

  /**
   * Brings an image into the pool, from upstream only what the pool lacks; for all sites that want it at the same time
   * once. What is there whole already costs upstream nothing.
   */
  stageImage(image: StagedImage, source: RepositoryEndpoint, hooks: CopyHooks = {}): Promise<number> {
    return this.#images.run(recordName(image), async () => {
      if (await this.#isWhole(image, hooks.signal)) return 0;
      const pool = new BlobPool(this.shelf.store);
      const upstream = new RegistryStore(this.#clients.of(source.registry), source.path, 'source');
      const context = {
        flights: this.#blobs,
        shared: (blob: Descriptor, bring: (waited: boolean) => Promise<void>): Promise<void> =>
          this.#shared.run(blob, bring, hooks.signal),
        proven: new ProvenParts(),
        manifests: new ManifestCache(),
        limit: <T>(task: () => Promise<T>): Promise<T> => this.#slots.run(task, hooks.signal),
      };
      const report = await copyImage(new PooledSource(upstream, pool), pool, image.root, context, {
        ...hooks,
        ...(image.platforms === undefined ? {} : { platforms: image.platforms }),
      });
      if (report.referrersMissing > 0) {
        throw new Failure('ReferrersIncomplete', {
          side: 'storage',
          subject: `${image.source}:${image.tag}`,
        });
      }
      const record: ImageRecord = {
        root:
          pool.placed.find(({ descriptor }) => descriptor.digest === report.root)?.descriptor ?? image.root,
        attachments: attachmentsOf(pool, report.root),
        ...(image.platforms?.mode === 'sparse'
          ? { children: pool.placed.map(({ descriptor }) => descriptor.digest) }
          : {}),
      };
      await this.shelf.writeImageRecord(keyOf(image), record);
      return report.bytesMoved;
    });
  }

  /** Waits for the end of a sweep: what is in the pool after that stays there while a plan stands. */
  afterSweep(signal?: AbortSignal): Promise<void> {
    return this.#shared.settled(sweepFlight, signal);
  }

  /** Reckons a bundle before anything of it is moved. Throws `QuotaExceeded` for one that its site could not take. */
  async measure(
    plan: StagePlan,
    source: (image: StagedImage) => Promise<RepositoryEndpoint>,
    signal: AbortSignal,
  ): Promise<void> {
    const base = await knownContent(this.shelf, plan);
    const { store } = this.shelf;
    await measureBundle({ plan, base, store, clients: this.#clients, source, signal });
  }

  /** Plans what the bundle carries, proves that it is all there, signs, and publishes it under its number. */
  async publish(plan: StagePlan, signal?: AbortSignal): Promise<PublishedBundle> {
    const { signers, roots } = await this.#keys.read();
    const wanted = (await mapInParallel(plan.images, (image) => this.#wanted(image, signal))).flat();
    const delta = planDelta(uniqueImages(wanted), await knownContent(this.shelf, plan));
    checkBundleSize(delta.bytes, plan.limits ?? {});
    await this.#proveAll(delta, signal);
    for (const { version, bytes } of roots) await this.shelf.addRoot(version, bytes);
    const index = layoutIndex(delta.images, delta.referrers);
    const statement = statementOf(plan, delta, sha256(index), roots);
    const payload = printStatement(statement);
    const manifest = signEnvelope(statementPayloadType, payload, signers);
    requireThreshold(parseEnvelope(manifest), newestRoot(roots).bundle, verifyEd25519);
    parseStatement(parseEnvelope(manifest));
    await this.shelf.publish(plan.site, plan.sequence, { index, manifest });
    const { bytes } = delta;
    return { sequence: plan.sequence, digest: sha256(payload), images: delta.images.length, bytes };
  }

  /** The last bundle that was published for a site. */
  async latest(site: SiteName): Promise<BundleMark | undefined> {
    const sequences = [...(await this.shelf.sequences(site))].filter(([, files]) =>
      files.includes('manifest.dsse.json'),
    );
    const sequence = sequences.at(-1)?.[0];
    const bytes = sequence === undefined ? undefined : await this.shelf.manifest(site, sequence);
    if (bytes === undefined || sequence === undefined) return undefined;
    return { sequence, digest: sha256(parseEnvelope(bytes).payload) };
  }

  async #isWhole(image: StagedImage, signal?: AbortSignal): Promise<boolean> {
    try {
      const pool = new BlobPool(this.shelf.store);
      const wanted = await this.#wanted(image, signal);
      const content = new Map(wanted.flatMap((each) => each.content.map((part) => [part.digest, part])));
      await inParallel([...content.values()], async (part) => {
        if (!(await pool.hasBlob(part, signal))) throw incomplete(part.digest);
      });
      return true;
    } catch (error) {
      if (error instanceof Failure && !error.retryable) return false;
      throw error;
    }
  }

  /** An image and its attachments as the pool has them: read from the manifests themselves, which their digests prove. */
  async #wanted(image: StagedImage, signal?: AbortSignal): Promise<WantedImage[]> {
    const record = parseImageRecord(await this.shelf.imageRecord(keyOf(image)));
    if (record === undefined) throw incomplete(image.root.digest);
    const pool = new BlobPool(this.shelf.store);
    const options = signal === undefined ? {} : { signal };
    const contentOf = async (root: Descriptor): Promise<readonly Descriptor[]> => {
      const graph = await loadGraph(pool, root, { ...options, ...followStored(record, root) });
      return [...graph.manifests.map(({ stored }) => stored.descriptor), ...graph.blobs];
    };
    const { repo } = image;
    const plain = record.attachments.filter(({ tag }) => tag === undefined);
    const content = [...(await contentOf(record.root))];
    for (const attachment of plain) content.push(...(await contentOf(attachment)));
    const tagged = record.attachments.filter((each): each is Tagged => each.tag !== undefined);
    const signatures = await mapInParallel(tagged, async (each) => [
      { ...plainOf(each), repo, tag: each.tag, content: await contentOf(each), referrers: [] },
    ]);
    return [
      { ...plainOf(record.root), repo, tag: image.tag, content, referrers: plain },
      ...signatures.flat(),
    ];
  }

  /** The closure, blob by blob, by reading back: nothing is signed that the pool lost meanwhile. */
  async #proveAll(delta: DeltaPlan, signal?: AbortSignal): Promise<void> {
    const pool = new BlobPool(this.shelf.store);
    await inParallel(delta.carried, async ({ digest, size }) => {
      const blob = { mediaType: 'application/octet-stream', digest, size };
      if (!(await pool.proveBlob(blob, signal))) throw incomplete(digest);
    });
  }
}

type Tagged = Descriptor & { readonly tag: TagName };

const plainOf = ({ digest, mediaType, size }: Descriptor): Descriptor => ({ digest, mediaType, size });
/** A filtered image is another one than the whole: each selection has a record of its own. */
const keyOf = (image: StagedImage): Digest =>
  image.platforms === undefined || image.platforms.mode === 'all'
    ? image.root.digest
    : sha256(Buffer.from(recordName(image)));
const recordName = ({ root, platforms }: StagedImage): string =>
  `${root.digest} ${platforms?.mode ?? 'all'} ${(platforms?.platforms ?? []).join(',')}`;

/** A sparse index lists children that were left out on purpose: only those that the record knows are followed. */
function followStored(
  record: ImageRecord,
  root: Descriptor,
): { readonly follow?: (child: Descriptor) => boolean } {
  const { children } = record;
  if (children === undefined || root.digest !== record.root.digest) return {};
  return { follow: (child) => children.includes(child.digest) };
}

/** What was copied along: manifests under tags of their own, and those that name a subject. */
function attachmentsOf(pool: BlobPool, root: Digest): ImageRecord['attachments'] {
  const attached = pool.placed.filter(({ descriptor, bytes, tag }) => {
    if (tag !== undefined || descriptor.digest === root) return tag !== undefined;
    return parseManifest({ bytes, contentType: descriptor.mediaType }).subject !== undefined;
  });
  return attached.map(({ descriptor: { digest, mediaType, size }, tag }) =>
    tag === undefined ? { digest, mediaType, size } : { digest, mediaType, size, tag },
  );
}

function statementOf(
  plan: StagePlan,
  delta: DeltaPlan,
  indexDigest: Digest,
  roots: readonly { readonly version: number; readonly bytes: Uint8Array }[],
): BundleStatement {
  return {
    site: plan.site,
    sequence: plan.sequence,
    prevSequence: plan.previous?.sequence ?? 0,
    ...(plan.previous === undefined ? {} : { prevManifestDigest: plan.previous.digest }),
    createdAt: plan.createdAt,
    expires: plan.expires,
    ...(delta.base === undefined ? {} : { base: delta.base }),
    ...(delta.inventory === undefined ? {} : { inventory: delta.inventory }),
    images: delta.images,
    referrers: delta.referrers,
    blobs: delta.carried,
    assumed: delta.assumed,
    totalBytes: delta.bytes.carried,
    roots: roots.map(({ version, bytes }) => ({ version, digest: sha256(bytes) })),
    indexDigest,
  };
}

function newestRoot(roots: readonly { readonly bytes: Uint8Array }[]): ReturnType<typeof pinRoot> {
  const [first, ...later] = roots;
  if (first === undefined) throw new Failure('NoTrustRoot', { side: 'cluster' });
  return later.reduce(
    (trusted, { bytes }) => succeedRoot(trusted, bytes, verifyEd25519),
    pinRoot(first.bytes, verifyEd25519),
  );
}

/** Two Repositories may ask for the same tag at the same place; the first one is it. */
function uniqueImages(wanted: readonly WantedImage[]): readonly WantedImage[] {
  const byName = new Map<string, WantedImage>();
  for (const image of wanted) {
    const name = `${image.repo}:${image.tag}`;
    if (!byName.has(name)) byName.set(name, image);
  }
  return [...byName.values()];
}

async function mapInParallel<T, R>(items: readonly T[], task: (item: T) => Promise<R[]>): Promise<R[][]> {
  const results: R[][] = [];
  await inParallel(
    items.map((item, index) => ({ item, index })),
    async ({ item, index }) => {
      results[index] = await task(item);
    },
    8,
  );
  return results;
}

function incomplete(digest: Digest): Failure {
  return new Failure('BundleIncomplete', { side: 'storage', subject: digest, detail: 'stage it again' });
}
