import { createHash } from 'node:crypto';
import { Failure } from '../../domain/failure.ts';
import type { Descriptor } from '../../domain/image/descriptor.ts';
import { digestAlgorithm, digestHex, type Digest } from '../../domain/names/digest.ts';
import type { BlobProof, BlobSource, ManifestSource, StoreIdentity } from './content.ts';
import { loadGraph } from './image-graph.ts';

/** Checks that an image is whole. `deep` reads and hashes every byte, else the last byte of every blob is read. */
export async function verifyGraph(
  store: ManifestSource & BlobSource & BlobProof & StoreIdentity,
  root: Digest,
  options: { readonly deep?: boolean; readonly signal?: AbortSignal } = {},
): Promise<void> {
  const found = await store.resolve(root, options.signal);
  if (found === undefined) throw new Failure('ManifestNotFound', { subject: `${store.label}@${root}` });
  const graph = await loadGraph(store, found, options);
  for (let at = 0; at < graph.blobs.length; at += 8) {
    await Promise.all(
      graph.blobs
        .slice(at, at + 8)
        .map((blob) =>
          options.deep === true ? readWhole(store, blob, options.signal) : prove(store, blob, options.signal),
        ),
    );
  }
}

async function prove(
  store: BlobProof & StoreIdentity,
  blob: Descriptor,
  signal?: AbortSignal,
): Promise<void> {
  if (await store.proveBlob(blob, signal)) return;
  throw new Failure('SourceIncomplete', { subject: `${store.label}@${blob.digest}` });
}

async function readWhole(
  store: BlobSource & StoreIdentity,
  blob: Descriptor,
  signal?: AbortSignal,
): Promise<void> {
  const hash = createHash(digestAlgorithm(blob.digest));
  let size = 0;
  await store.readBlob(
    blob,
    0,
    (chunk) => {
      hash.update(chunk);
      size += chunk.byteLength;
      return undefined;
    },
    signal,
  );
  if (size === blob.size && hash.digest('hex') === digestHex(blob.digest)) return;
  throw new Failure('DigestMismatch', { subject: `${store.label}@${blob.digest}` });
}
