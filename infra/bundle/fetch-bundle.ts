import { createHash } from 'node:crypto';
import { open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { blobFile, indexFile, layoutFile, manifestFile, rootFile } from '../../domain/bundle/file-set.ts';
import { layoutIndex, ociLayoutBytes } from '../../domain/bundle/layout-index.ts';
import type { BundleBlob, BundleStatement } from '../../domain/bundle/statement.ts';
import { asFailure, Failure } from '../../domain/failure.ts';
import { digestHex } from '../../domain/names/digest.ts';
import type { SiteName } from '../../domain/names/kubernetes-name.ts';
import type { Bytes } from '../../domain/sync/progress.ts';
import type { TrustRoot } from '../../domain/trust/trust-root.ts';
import { inParallel } from '../copy/in-parallel.ts';
import { RetryPlan } from '../copy/retry-plan.ts';
import { writeFileAtomically } from '../layout/atomic-file.ts';
import { makeFolder, syncFolder } from '../disk/make-folder.ts';
import { mediaFailure } from '../disk/media-failure.ts';
import { openStatementFile, type SignedStatement } from '../layout/verify-bundle.ts';
import { sha256 } from '../trust/ed25519.ts';

/** Where a bundle is fetched from: a bucket, or anything else that has its files. */
export interface BundleOrigin {
  readonly manifest: (site: SiteName, sequence: number) => Promise<Uint8Array | undefined>;
  readonly root: (version: number) => Promise<Uint8Array | undefined>;
  readonly blob: (blob: BundleBlob, from: number) => AsyncIterable<Uint8Array>;
}

export interface FetchOptions {
  readonly site: SiteName;
  readonly sequence: number;
  /** What to believe: the newest root of the hub. */
  readonly trust: TrustRoot;
  /** The directory to make; must not be there. */
  readonly to: string;
  readonly signal?: AbortSignal;
  /** Hears how much of the bundle is on the disk; of what an earlier run left, too. */
  readonly onProgress?: (progress: Bytes) => void;
}

/**
 * Fetches a bundle as a plain OCI layout directory. It grows beside its final name and gets that only when every byte
 * was verified and is on the disk; run again, it goes on where it stopped.
 */
export async function fetchBundle(origin: BundleOrigin, options: FetchOptions): Promise<SignedStatement> {
  const { site, sequence, to } = options;
  if (await exists(to)) throw new Failure('AlreadyExists', { subject: to });
  const partial = `${to}.partial`;
  const manifest = await origin.manifest(site, sequence);
  if (manifest === undefined) throw new Failure('BundleNotFound', { subject: `${site}/${sequence}` });
  const signed = openStatementFile(manifest, options.trust);
  const { statement } = signed;
  if (statement.site !== site || statement.sequence !== sequence) {
    throw new Failure('WrongAudience', { subject: `${site}/${sequence}` });
  }
  await makeFolder(join(partial, 'blobs', 'sha256'));
  let doneBytes = 0;
  const onBytes = (bytes: number): void => {
    doneBytes += bytes;
    options.onProgress?.({ doneBytes, totalBytes: statement.totalBytes });
  };
  const fetching = { ...options, onBytes };
  await inParallel(statement.blobs, (blob) => fetchBlob(origin, blob, partial, fetching), 4);
  for (const { version, digest } of statement.roots) {
    const bytes = await origin.root(version);
    if (bytes === undefined || sha256(bytes) !== digest) {
      throw new Failure('BundleCorrupt', { side: 'storage', subject: rootFile(version) });
    }
    await writeFileAtomically(join(partial, rootFile(version)), bytes);
  }
  const index = layoutIndex(statement.images, statement.referrers);
  await writeFileAtomically(join(partial, layoutFile), ociLayoutBytes);
  await writeFileAtomically(join(partial, indexFile), index);
  await writeFileAtomically(join(partial, manifestFile), manifest);
  await removeOthers(partial, statement).catch(onMedium(partial));
  for (const folder of ['blobs/sha256', '']) await syncFolder(join(partial, folder)).catch(onMedium(partial));
  await rename(partial, to).catch(onMedium(to));
  await syncFolder(dirname(to)).catch(onMedium(to));
  return signed;
}

/** What an earlier run left that was killed, or that fetched another bundle: a site would refuse the bundle for it. */
async function removeOthers(folder: string, { blobs, roots }: BundleStatement): Promise<void> {
  const own = new Set([indexFile, layoutFile, manifestFile]);
  for (const blob of blobs) own.add(blobFile(blob));
  for (const { version } of roots) own.add(rootFile(version));
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isDirectory() && !own.has(relative(folder, path))) await rm(path);
  }
}

/** Fetches what is missing of one blob. What an earlier run left is hashed again: it may be from a broken disk. */
async function fetchBlob(
  origin: BundleOrigin,
  blob: BundleBlob,
  folder: string,
  { signal, onBytes }: Pick<FetchOptions, 'signal'> & { readonly onBytes: (bytes: number) => void },
): Promise<void> {
  const path = join(folder, blobFile(blob));
  const part = `${path}.part`;
  // A blob has its name only once it was verified and synced.
  if ((await sizeOf(path)) === blob.size) return onBytes(blob.size);
  const hash = createHash('sha256');
  const kept = await hashFile(part, blob.size, hash);
  const handle = await open(part, 'a').catch(onMedium(blob.digest));
  let at = kept;
  try {
    await handle.truncate(kept);
    onBytes(kept);
    for await (const chunk of rest(origin, blob, kept, signal)) {
      await handle.writeFile(chunk);
      hash.update(chunk);
      at += chunk.byteLength;
      onBytes(chunk.byteLength);
    }
    await handle.sync();
  } catch (error) {
    throw mediaFailure(error, blob.digest);
  } finally {
    await handle.close();
  }
  if (at !== blob.size || hash.digest('hex') !== digestHex(blob.digest)) {
    await rm(part, { force: true });
    throw new Failure('DigestMismatch', { side: 'storage', subject: blob.digest });
  }
  await rename(part, path).catch(onMedium(blob.digest));
}

/** Bytes that count as progress: the next break counts as the first. */
const leapBytes = 1024 * 1024;

/** The bytes from an offset on. What breaks off goes on at the next byte, here and now. */
async function* rest(
  origin: BundleOrigin,
  blob: BundleBlob,
  from: number,
  signal: AbortSignal | undefined,
): AsyncIterable<Uint8Array> {
  const retry = new RetryPlan(signal);
  for (let [at, leap] = [from, from]; at < blob.size;) {
    try {
      for await (const chunk of origin.blob(blob, at)) {
        signal?.throwIfAborted();
        at += chunk.byteLength;
        yield chunk;
      }
      if (at < blob.size) throw new Failure('Truncated', { side: 'storage', subject: blob.digest });
    } catch (error) {
      if (at - leap >= leapBytes) retry.progressed();
      leap = at;
      if (signal?.aborted === true) throw new Failure('Cancelled', { cause: error });
      await retry.next(asFailure(error));
    }
  }
}

async function hashFile(path: string, most: number, hash: ReturnType<typeof createHash>): Promise<number> {
  if (((await sizeOf(path)) ?? 0) === 0) return 0;
  const handle = await open(path, 'r').catch(onMedium(path));
  let at = 0;
  try {
    for await (const chunk of handle.createReadStream({ end: most - 1, autoClose: false })) {
      hash.update(chunk as Uint8Array);
      at += (chunk as Uint8Array).byteLength;
    }
  } finally {
    await handle.close();
  }
  return at;
}

const sizeOf = (path: string): Promise<number | undefined> =>
  stat(path).then(
    ({ size }) => size,
    () => undefined,
  );
const exists = async (path: string): Promise<boolean> => (await sizeOf(path)) !== undefined;
const onMedium =
  (subject: string) =>
  (error: unknown): never => {
    throw mediaFailure(error, subject);
  };
