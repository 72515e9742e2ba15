import { constants } from 'node:fs';
import { open, readFile, rename, rm, rmdir, stat, type FileHandle } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ociLayoutBytes } from '../../domain/bundle/layout-index.ts';
import { Failure } from '../../domain/failure.ts';
import {
  emptyListing,
  encodeListing,
  maxListingBytes,
  parseListing,
  type LayoutListing,
} from '../../domain/image/image-layout.ts';
import { isJsonObject, parseStrictJson } from '../../domain/image/strict-json.ts';
import { digestAlgorithm, digestHex, printable, type Digest } from '../../domain/names/digest.ts';
import { writeFileAtomically } from './atomic-file.ts';
import { makeFolder, syncFolder } from '../disk/make-folder.ts';
import { mediaFailure } from '../disk/media-failure.ts';

/** Milliseconds after which a lock on the index was left behind by a process that died: it is held for milliseconds. */
const staleLockMs = 10_000;

type Change = (listing: LayoutListing) => LayoutListing;

interface Pending {
  readonly change: Change;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

/** An OCI image layout directory: its files, and its `index.json` as one value that changes whole. */
export class LayoutFolder {
  readonly path: string;
  #read: { readonly version: string; readonly listing: LayoutListing } | undefined;
  #pending: Pending[] = [];
  #isWriting = false;
  #prepared: Promise<void> | undefined;

  constructor(path: string) {
    this.path = resolve(path);
  }

  /** Where a blob is, whatever it is. */
  blobPath(digest: Digest): string {
    return join(this.path, 'blobs', digestAlgorithm(digest), digestHex(digest));
  }

  /** Where blobs are while they are not whole: beside `blobs/`, which holds nothing but blobs. */
  get workPath(): string {
    return join(this.path, '.imageferry');
  }

  /** What the layout lists; an empty one where there is no layout yet. Throws `UnexpectedContent` for another kind. */
  async listing(): Promise<LayoutListing> {
    const path = join(this.path, 'index.json');
    try {
      const { ino, mtimeNs, size } = await stat(path, { bigint: true });
      const version = `${ino} ${mtimeNs} ${size}`;
      if (this.#read?.version === version) return this.#read.listing;
      if (size > maxListingBytes) throw new Failure('InvalidManifest', { subject: path, detail: 'too long' });
      await this.#checkVersion();
      const listing = parseListing(await readFile(path));
      this.#read = { version, listing };
      return listing;
    } catch (error) {
      if (isMissing(error)) return emptyListing;
      throw mediaFailure(error, printable(path));
    }
  }

  /** Makes the folder a layout; once. Throws `InvalidRequest`, `DiskFull` or `MediaError`. */
  prepare(): Promise<void> {
    return (this.#prepared ??= this.#prepare());
  }

  /** Makes a file in the work folder, which another process may have tidied away just now. */
  async inWorkFolder<T>(make: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      await this.prepare();
      try {
        return await make();
      } catch (error) {
        if (!isMissing(error) || tries === 5) throw error;
        this.#prepared = undefined;
      }
    }
  }

  /**
   * Changes the index in one step that a power loss leaves done or undone: what it names was made durable before.
   * Changes that come while one is written are written together.
   */
  change(change: Change): Promise<void> {
    return new Promise((done, failed) => {
      this.#pending.push({ change, done, failed });
      if (!this.#isWriting) void this.#writeAll();
    });
  }

  /** Opens a file of the layout. Undefined where it is not there. Throws `NotRegularFile` for what is no plain file. */
  async open(digest: Digest): Promise<{ readonly handle: FileHandle; readonly size: number } | undefined> {
    let handle: FileHandle;
    try {
      // Non-blocking, so that a pipe does not hang us. Links are followed: build tools make layouts of them.
      handle = await open(this.blobPath(digest), constants.O_RDONLY | constants.O_NONBLOCK);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw mediaFailure(error, digest);
    }
    const about = await handle.stat();
    if (about.isFile()) return { handle, size: about.size };
    await handle.close();
    throw new Failure('NotRegularFile', { subject: digest });
  }

  /** Removes our own folder where nothing in it is worth keeping. */
  async tidy(): Promise<void> {
    this.#prepared = undefined;
    await rmdir(this.workPath).catch(() => undefined);
  }

  async #prepare(): Promise<void> {
    for (const folder of ['blobs/sha256', 'blobs/sha512', '.imageferry'])
      await makeFolder(join(this.path, folder));
    if (!(await this.#checkVersion()))
      await writeFileAtomically(join(this.path, 'oci-layout'), ociLayoutBytes);
  }

  /** False where there is no `oci-layout` file. */
  async #checkVersion(): Promise<boolean> {
    const path = join(this.path, 'oci-layout');
    const bytes = await readFile(path).catch((error: unknown) => {
      if (isMissing(error)) return undefined;
      throw mediaFailure(error, printable(path));
    });
    if (bytes === undefined) return false;
    const body = parseStrictJson(bytes, { code: 'InvalidManifest', maxBytes: 4096, subject: 'oci-layout' });
    if (isJsonObject(body) && body['imageLayoutVersion'] === '1.0.0') return true;
    throw new Failure('InvalidManifest', { subject: printable(path), detail: 'not layout version 1.0.0' });
  }

  async #writeAll(): Promise<void> {
    this.#isWriting = true;
    for (let batch = this.#pending; batch.length > 0; batch = this.#pending) {
      this.#pending = [];
      try {
        await this.#write(batch.map(({ change }) => change));
        for (const each of batch) each.done();
      } catch (error) {
        for (const each of batch) each.failed(error);
      }
    }
    this.#isWriting = false;
  }

  async #write(changes: readonly Change[]): Promise<void> {
    const unlock = await this.#lock();
    try {
      await syncFolder(join(this.path, 'blobs/sha256'));
      await syncFolder(join(this.path, 'blobs/sha512'));
      const before = await this.listing();
      const after = changes.reduce((listing, change) => change(listing), before);
      if (after !== before || before === emptyListing)
        await writeFileAtomically(join(this.path, 'index.json'), encodeListing(after));
    } catch (error) {
      throw mediaFailure(error, printable(this.path));
    } finally {
      await unlock();
    }
  }

  /** Two processes may fill one layout: each adds to what the other wrote. */
  async #lock(): Promise<() => Promise<void>> {
    const path = join(this.workPath, 'index.lock');
    for (;;) {
      try {
        await (await this.inWorkFolder(() => open(path, 'wx'))).close();
        return () => rm(path, { force: true });
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST'))
          throw mediaFailure(error, printable(path));
      }
      const since = await stat(path).then(
        ({ mtimeMs }) => mtimeMs,
        () => Date.now(),
      );
      if (Date.now() - since > staleLockMs)
        await rename(path, `${path}.${process.pid}`)
          .then(() => rm(`${path}.${process.pid}`, { force: true }))
          .catch(() => undefined);
      else await sleep(20);
    }
  }
}

/** True where a file or a folder on the way to it is not there. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
