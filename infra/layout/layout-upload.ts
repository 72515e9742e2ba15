import { createHash } from 'node:crypto';
import { open, readdir, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../../domain/failure.ts';
import type { Descriptor } from '../../domain/image/descriptor.ts';
import { digestAlgorithm, digestHex } from '../../domain/names/digest.ts';
import type { BlobUpload } from '../copy/content.ts';
import { isOtherAlive } from '../disk/other-process.ts';
import type { LayoutFolder } from './layout-folder.ts';
import { mediaFailure } from '../disk/media-failure.ts';
import { readFilePart } from './read-file.ts';

/** Milliseconds after which a part that nobody came back for is removed. */
const staleMs = 7 * 86_400_000;
/** Parts that this process writes to. */
const written = new Set<string>();
let parts = 0;

/** Takes up the part that an earlier upload of the blob left, or begins a new one. */
export async function openLayoutUpload(
  folder: LayoutFolder,
  blob: Descriptor,
  resume: boolean,
): Promise<BlobUpload> {
  const stem = `${digestAlgorithm(blob.digest)}-${digestHex(blob.digest)}`;
  const path = join(folder.workPath, `${stem}.${process.pid}-${(parts += 1)}.part`);
  try {
    return await folder.inWorkFolder(async () => {
      const left = resume ? await claimPart(folder.workPath, stem, path) : undefined;
      const goesOn = left !== undefined && left > 0 && left <= blob.size;
      const handle = await open(path, goesOn ? 'r+' : 'w+');
      return new LayoutUpload({ folder, blob, path, handle, offset: goesOn ? left : 0 });
    });
  } catch (error) {
    throw destinationFailure(error, blob);
  }
}

/** Moves a part that nobody writes to any more to `path`, which one process alone can do; its size, where there was one. */
async function claimPart(workPath: string, stem: string, path: string): Promise<number | undefined> {
  let size: number | undefined;
  for (const name of await readdir(workPath)) {
    const found = join(workPath, name);
    const writer = /^(sha\d{3}-[0-9a-f]+)\.(\d+)-\d+\.part$/.exec(name);
    if (writer === null || written.has(found) || isOtherAlive(Number(writer[2]))) continue;
    const { mtimeMs, size: bytes } = await stat(found).catch(() => ({ mtimeMs: 0, size: 0 }));
    if (
      writer[1] === stem &&
      size === undefined &&
      (await rename(found, path).then(
        () => true,
        () => false,
      ))
    )
      size = bytes;
    else if (writer[1] === stem || Date.now() - mtimeMs > staleMs) await rm(found, { force: true });
  }
  return size;
}

interface OpenPart {
  readonly folder: LayoutFolder;
  readonly blob: Descriptor;
  readonly path: string;
  readonly handle: FileHandle;
  readonly offset: number;
}

/** A blob on its way into a layout: a file of its own until it is whole and durable, then renamed. */
class LayoutUpload implements BlobUpload {
  readonly offset: number;
  readonly #part: OpenPart;
  #position: number;

  constructor(part: OpenPart) {
    this.#part = part;
    this.offset = this.#position = part.offset;
    written.add(part.path);
  }

  async write(chunk: Uint8Array): Promise<void> {
    const { handle, blob } = this.#part;
    let at = this.#position;
    this.#position += chunk.byteLength;
    try {
      for (let rest = chunk; rest.byteLength > 0;) {
        const { bytesWritten } = await handle.write(rest, 0, rest.byteLength, at);
        at += bytesWritten;
        rest = rest.subarray(bytesWritten);
      }
    } catch (error) {
      throw destinationFailure(error, blob);
    }
  }

  async commit(): Promise<void> {
    const { folder, blob, path, handle, offset } = this.#part;
    try {
      // What an earlier process wrote may have been lost by the disk: then it is not what was hashed on the way.
      if (offset > 0) await this.#checkAll();
      await handle.sync();
      await handle.close();
      await rename(path, folder.blobPath(blob.digest));
      written.delete(path);
    } catch (error) {
      throw destinationFailure(error, blob);
    }
  }

  async abandon(keep: boolean): Promise<void> {
    const { path, handle } = this.#part;
    await handle.close().catch(() => undefined);
    if (!keep) await rm(path, { force: true }).catch(() => undefined);
    written.delete(path);
  }

  async #checkAll(): Promise<void> {
    const { blob, handle } = this.#part;
    const hash = createHash(digestAlgorithm(blob.digest));
    await readFilePart({ handle, start: 0, length: blob.size, name: blob.digest }, (chunk) => {
      hash.update(chunk);
      return undefined;
    });
    if (hash.digest('hex') !== digestHex(blob.digest))
      throw new Failure('DigestMismatch', { side: 'destination', subject: blob.digest });
  }
}

/** The disk is where the copy goes: a full one is not the source's fault. */
function destinationFailure(error: unknown, blob: Descriptor): Failure {
  const { code, detail, cause } = mediaFailure(error, blob.digest);
  return new Failure(code, {
    side: 'destination',
    subject: blob.digest,
    ...(detail === undefined ? {} : { detail }),
    cause,
  });
}
