import { isBundleFileName, manifestFile, rootFile, blobFile } from '../../domain/bundle/file-set.ts';
import { bundleCaps } from '../../domain/bundle/caps.ts';
import { parseStatement } from '../../domain/bundle/parse-statement.ts';
import type { BundleBlob } from '../../domain/bundle/statement.ts';
import { Failure } from '../../domain/failure.ts';
import { maxEnvelopeBytes, parseEnvelope } from '../../domain/trust/envelope.ts';
import { claimedFile, paddingAfter, tarHeader } from '../layout/tar-plan.ts';
import type { BundleOrigin } from './fetch-bundle.ts';

const block = 512;

/** A part of an archive: bytes from `from` up to, not including, `to`; to the end without. */
export type ReadArchive = (from: number, to: number) => AsyncIterable<Uint8Array>;

/**
 * A bundle's archive, of which parts can be asked for, as what a bundle is fetched from. Where everything lies follows
 * from the headers of the small files in front and from the list in the signed manifest; what is there is verified by
 * whoever fetches.
 */
export async function openArchiveOrigin(read: ReadArchive): Promise<BundleOrigin> {
  const small = new Map<string, Uint8Array>();
  let at = 0;
  for (let count = 0; count < bundleCaps.roots + 3; count += 1) {
    const { name, size } = await memberAt(read, at);
    if (name.startsWith('blobs/')) break;
    const most = name === manifestFile ? maxEnvelopeBytes : bundleCaps.smallFileBytes;
    if (size > most) throw new Failure('BundleTooLarge', { side: 'storage', subject: name });
    small.set(name, await whole(read, at + block, size));
    at += block + size + paddingAfter(size);
    if (name === 'index.json') break;
  }
  const manifest = small.get(manifestFile);
  if (manifest === undefined) throw new Failure('ArchiveInvalid', { side: 'storage', subject: manifestFile });
  const places = placesFrom(at, parseStatement(parseEnvelope(manifest)).blobs);
  return {
    manifest: async () => manifest,
    root: async (version) => small.get(rootFile(version)),
    blob: (blob, from) => {
      const place = places.get(blob.digest);
      if (place === undefined)
        throw new Failure('BundleIncomplete', { side: 'storage', subject: blob.digest });
      return read(place + from, place + blob.size);
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
  read: ReadArchive,
  at: number,
): Promise<{ readonly name: string; readonly size: number }> {
  const header = await whole(read, at, block);
  const file = claimedFile(header);
  const isOurs = isBundleFileName(file.name) && Number.isSafeInteger(file.size);
  if (isOurs && Buffer.from(tarHeader(file)).equals(header)) return file;
  throw new Failure('ArchiveInvalid', { side: 'storage', detail: 'not the header that a bundle has' });
}

async function whole(read: ReadArchive, from: number, length: number): Promise<Uint8Array> {
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
