import { bundleCaps } from '../../domain/bundle/caps.ts';
import { indexFile, layoutFile, manifestFile, rootFile } from '../../domain/bundle/file-set.ts';
import { ociLayoutBytes } from '../../domain/bundle/layout-index.ts';
import { Failure } from '../../domain/failure.ts';
import { digestHex, type Digest } from '../../domain/names/digest.ts';
import { isSiteName, type SiteName } from '../../domain/names/kubernetes-name.ts';
import { maxEnvelopeBytes } from '../../domain/trust/envelope.ts';
import { sha256 } from '../trust/ed25519.ts';
import { honoursCreateOnly } from './conditional-writes.ts';
import type { NameClaims } from './name-claims.ts';
import type { ObjectStore } from './object-store.ts';

const planFile = 'plan.json';
const failedFile = 'failed.json';
/** Plans and image records hold lists of digests. */
const maxDocumentBytes = 16 * 1024 * 1024;

/** Bundles, receipts and roots in the bucket. Keys are made of parsed names, numbers and hex only. */
export class BundleShelf {
  readonly store: ObjectStore;

  readonly #claims: NameClaims | undefined;
  #createOnly: Promise<boolean> | undefined;

  /** `claims` tell who was first where the store cannot. Default: with such a store nothing is staged. */
  constructor(store: ObjectStore, claims?: NameClaims) {
    this.store = store;
    this.#claims = claims;
  }

  /**
   * Takes a sequence for a new bundle by writing its plan, create-only: two hubs never work on the same number. False
   * where it is taken.
   */
  takeSequence(site: SiteName, sequence: number, plan: object): Promise<boolean> {
    return this.#create(bundleKey(site, sequence, planFile), encode(plan));
  }

  plan(site: SiteName, sequence: number): Promise<unknown> {
    return this.#document(bundleKey(site, sequence, planFile));
  }

  /** Marks a plan as given up, so that nothing waits for it. */
  async markFailed(site: SiteName, sequence: number): Promise<void> {
    await this.store.write(bundleKey(site, sequence, failedFile), encode({}));
  }

  /** What an image consists of, written when all of it was in the pool. */
  imageRecord(root: Digest): Promise<unknown> {
    return this.#document(imageKey(root));
  }

  async writeImageRecord(root: Digest, record: object): Promise<void> {
    await this.store.write(imageKey(root), encode(record));
  }

  /** Publishes a bundle: the signed manifest last, and only once. Throws `SequenceTaken`. */
  async publish(
    site: SiteName,
    sequence: number,
    files: { readonly index: Uint8Array; readonly manifest: Uint8Array },
  ): Promise<void> {
    await this.store.write(bundleKey(site, sequence, layoutFile), ociLayoutBytes);
    await this.store.write(bundleKey(site, sequence, indexFile), files.index);
    const key = bundleKey(site, sequence, manifestFile);
    if (await this.#create(key, files.manifest)) return;
    const there = await this.store.read(key, maxEnvelopeBytes);
    // Our own write may have arrived although its answer did not.
    if (there !== undefined && Buffer.from(there).equals(files.manifest)) return;
    throw new Failure('SequenceTaken', { subject: `${site}/${sequence}` });
  }

  /** The signed manifest; undefined where no such bundle was published. */
  manifest(site: SiteName, sequence: number): Promise<Uint8Array | undefined> {
    return this.store.read(bundleKey(site, sequence, manifestFile), maxEnvelopeBytes);
  }

  index(site: SiteName, sequence: number): Promise<Uint8Array | undefined> {
    return this.store.read(bundleKey(site, sequence, indexFile), bundleCaps.smallFileBytes);
  }

  /** Whether such files are those of a bundle that is still being staged. */
  static isStaging(files: readonly string[]): boolean {
    return files.includes(planFile) && !files.includes(manifestFile) && !files.includes(failedFile);
  }

  /** Sequences that were taken, in order, with the files that are there. */
  async sequences(site: SiteName): Promise<ReadonlyMap<number, readonly string[]>> {
    const found = new Map<number, string[]>();
    for await (const { key } of this.store.list(`sites/${site}/`)) {
      const [, , number = '', ...rest] = key.split('/');
      if (!/^[1-9][0-9]{0,14}$/.test(number)) continue;
      const files = found.get(Number(number)) ?? [];
      files.push(rest.join('/'));
      found.set(Number(number), files);
    }
    return new Map([...found].sort(([one], [other]) => one - other));
  }

  /** Sites that anything was ever planned for. What else lies there, such as a folder's marker, is nobody's bundle. */
  async sites(): Promise<readonly SiteName[]> {
    const names = new Set<SiteName>();
    for await (const { key } of this.store.list('sites/')) {
      const [, name = '', part = ''] = key.split('/');
      if (part !== '' && isSiteName(name)) names.add(name);
    }
    return [...names];
  }

  /** The trust roots, oldest first; without a gap from version 1. */
  async roots(): Promise<readonly { readonly version: number; readonly bytes: Uint8Array }[]> {
    const roots: { version: number; bytes: Uint8Array }[] = [];
    for (let version = 1; version <= bundleCaps.roots; version += 1) {
      const bytes = await this.store.read(rootFile(version), bundleCaps.smallFileBytes);
      if (bytes === undefined) break;
      roots.push({ version, bytes });
    }
    return roots;
  }

  /** Stores a root, once. Throws `AlreadyExists` where another has its version. */
  async addRoot(version: number, bytes: Uint8Array): Promise<void> {
    if (await this.#create(rootFile(version), bytes)) return;
    const there = await this.store.read(rootFile(version), bundleCaps.smallFileBytes);
    if (there === undefined || !Buffer.from(there).equals(bytes)) {
      throw new Failure('AlreadyExists', { subject: rootFile(version) });
    }
  }

  inventoryKey(site: SiteName, digest: Digest): string {
    return `sites/${site}/inventories/${digestHex(digest)}.json`;
  }

  /** An inventory file by the digest of its payload. */
  inventory(site: SiteName, digest: Digest): Promise<Uint8Array | undefined> {
    return this.store.read(this.inventoryKey(site, digest), maxEnvelopeBytes);
  }

  async writeInventory(site: SiteName, digest: Digest, bytes: Uint8Array): Promise<void> {
    await this.store.write(this.inventoryKey(site, digest), bytes);
  }

  usageKey(site: SiteName, digest: Digest): string {
    return `sites/${site}/usage/${digestHex(digest)}.json`;
  }

  /** The letter in which a site told its usage, by the digest of its payload. */
  usage(site: SiteName, digest: Digest): Promise<Uint8Array | undefined> {
    return this.store.read(this.usageKey(site, digest), maxEnvelopeBytes);
  }

  async writeUsage(site: SiteName, digest: Digest, bytes: Uint8Array): Promise<void> {
    await this.store.write(this.usageKey(site, digest), bytes);
  }

  receipt(site: SiteName, sequence: number): Promise<Uint8Array | undefined> {
    return this.store.read(`sites/${site}/receipts/${sequence}.json`, maxEnvelopeBytes);
  }

  async writeReceipt(site: SiteName, sequence: number, bytes: Uint8Array): Promise<void> {
    await this.store.write(`sites/${site}/receipts/${sequence}.json`, bytes);
  }

  /** Removes a bundle's files; its blobs stay until nothing names them. The signed manifest goes first. */
  async remove(site: SiteName, sequence: number): Promise<void> {
    for (const file of [manifestFile, indexFile, layoutFile, failedFile, planFile]) {
      await this.store.delete(bundleKey(site, sequence, file));
    }
  }

  /** Writes a name once; false where it is taken. Throws `StorageUnsafe` where nobody can tell who was first (fault K11). */
  async #create(key: string, bytes: Uint8Array): Promise<boolean> {
    if (await this.#writesOnce()) return this.store.write(key, bytes, { createOnly: true });
    if (this.#claims === undefined) {
      throw new Failure('StorageUnsafe', { side: 'storage', detail: 'it ignores If-None-Match' });
    }
    if ((await this.store.head(key)) !== undefined) return false;
    if (!(await this.#claims.claim(`${this.store.bucket}/${key}`, sha256(bytes)))) return false;
    await this.store.write(key, bytes);
    return true;
  }

  /** Asked once a process. */
  async #writesOnce(): Promise<boolean> {
    this.#createOnly ??= honoursCreateOnly(this.store);
    try {
      return await this.#createOnly;
    } catch (error) {
      this.#createOnly = undefined;
      throw error;
    }
  }

  async #document(key: string): Promise<unknown> {
    const bytes = await this.store.read(key, maxDocumentBytes);
    return bytes === undefined ? undefined : JSON.parse(Buffer.from(bytes).toString('utf8'));
  }
}

const bundleKey = (site: SiteName, sequence: number, file: string): string =>
  `sites/${site}/${sequence}/${file}`;
const imageKey = (root: Digest): string => `images/${digestHex(root)}.json`;
const encode = (value: object): Uint8Array => Buffer.from(JSON.stringify(value));
