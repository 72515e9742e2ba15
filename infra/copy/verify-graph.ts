import { Failure } from '../../domain/failure.ts';
import type { Descriptor } from '../../domain/image/descriptor.ts';
import type { Digest } from '../../domain/names/digest.ts';
import type { BlobProof, BlobSource, BlobTarget, ManifestSource, StoreIdentity } from './content.ts';
import { loadGraph } from './image-graph.ts';
import { moveBlob } from './move-blob.ts';

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
          options.deep === true
            ? moveBlob(store, nowhere, blob, options.signal === undefined ? {} : { signal: options.signal })
            : prove(store, blob, options.signal),
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

/** A target that keeps nothing: what is moved there is only read and hashed, with all resuming that a copy has. */
const nowhere: BlobTarget & StoreIdentity = {
  label: 'nowhere',
  key: 'nowhere',
  hasBlob: () => Promise.resolve(false),
  openUpload: () =>
    Promise.resolve({
      offset: 0,
      write: () => Promise.resolve(),
      commit: () => Promise.resolve(),
      abandon: () => Promise.resolve(),
    }),
};
