import { isBundleFileName, manifestFile, rootFile, blobFile } from '../../domain/bundle/file-set.ts';
import { bundleCaps } from '../../domain/bundle/caps.ts';
import type { BundleBlob } from '../../domain/bundle/statement.ts';
import { asFailure, Failure } from '../../domain/failure.ts';
import { maxEnvelopeBytes } from '../../domain/trust/envelope.ts';
import type { TrustRoot } from '../../domain/trust/trust-root.ts';
import { RetryPlan } from '../copy/retry-plan.ts';
import { claimedFile, paddingAfter, tarHeader } from '../layout/tar-plan.ts';
import { openStatementFile } from '../layout/verify-bundle.ts';
import type { BundleOrigin } from './fetch-bundle.ts';

const block = 512;

/** A part of an archive: bytes from `from` up to, not including, `to`; to the end without. */
export type ReadArchive = (from: number, to: number) => AsyncIterable<Uint8Array>;

/**
 * A bundle's archive, of which parts can be asked for, as what a bundle is fetched from. Where everything lies follows
 * from the headers of the small files in front and from the list in the manifest, which is believed only when `trust`
 * says so; what lies there is verified by whoever fetches.
 */
export async function openArchiveOrigin(
  source: ReadArchive,
  trust: TrustRoot,
  signal?: AbortSignal,
): Promise<BundleOrigin> {
  const read: ReadWhole = (from, length) => whole(source, from, length, signal);
  const small = new Map<string, Uint8Array>();
  let at = 0;
  for (let count = 0; count < bundleCaps.roots + 3; count += 1) {
    const { name, size } = await memberAt(read, at);
    if (name.startsWith('blobs/')) break;
    const most = name === manifestFile ? maxEnvelopeBytes : bundleCaps.smallFileBytes;
    if (size > most) throw new Failure('BundleTooLarge', { side: 'storage', subject: name });
    small.set(name, await read(at + block, size));
    at += block + size + paddingAfter(size);
    if (name === 'index.json') break;
  }
  const manifest = small.get(manifestFile);
  if (manifest === undefined) throw new Failure('ArchiveInvalid', { side: 'storage', subject: manifestFile });
  const places = placesFrom(at, openStatementFile(manifest, trust).statement.blobs);
  return {
    manifest: async () => manifest,
    root: async (version) => small.get(rootFile(version)),
    blob: (blob, from) => {
      const place = places.get(blob.digest);
      if (place === undefined)
        throw new Failure('BundleIncomplete', { side: 'storage', subject: blob.digest });
      return source(place + from, place + blob.size);
    },
  };
}

function placesFrom(start: number, blobs: readonly BundleBlob[]): ReadonlyMap<string, number> {
  const places = new Map<string, number>();
  let at = start;
  for (const blob of blobs) {
    places.set(blob.digest, at + tarHeader({ name: blobFile(blob), size: blob.size }).byteLength);
    at += block + blob.size + paddingAfter(blob.size);
  }
  return places;
}

async function memberAt(
  read: ReadWhole,
  at: number,
): Promise<{ readonly name: string; readonly size: number }> {
  const header = await read(at, block);
  const file = claimedFile(header);
  const isOurs = isBundleFileName(file.name) && Number.isSafeInteger(file.size);
  if (isOurs && Buffer.from(tarHeader(file)).equals(header)) return file;
  throw new Failure('ArchiveInvalid', { side: 'storage', detail: 'not the header that a bundle has' });
}

type ReadWhole = (from: number, length: number) => Promise<Uint8Array>;

/** A small part in memory. What breaks off is asked for again, here and now. */
async function whole(
  read: ReadArchive,
  from: number,
  length: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  for (const retry = new RetryPlan(signal); ;) {
    try {
      return await once(read, from, length);
    } catch (error) {
      await retry.next(asFailure(error));
    }
  }
}

async function once(read: ReadArchive, from: number, length: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  if (length > 0) {
    for await (const chunk of read(from, from + length)) {
      bytes += chunk.byteLength;
      if (bytes > length) break;
      chunks.push(chunk);
    }
  }
  if (bytes !== length) throw new Failure('Truncated', { side: 'storage' });
  return Buffer.concat(chunks);
}
