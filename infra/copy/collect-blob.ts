import type { Descriptor } from '../../domain/image/descriptor.ts';
import type { BlobSource, BlobTarget, StoreIdentity } from './content.ts';
import { moveBlob } from './move-blob.ts';

/** Reads a small blob into memory, checked against its digest, with all resuming that a copy has. */
export async function collectBlob(
  source: BlobSource & StoreIdentity,
  blob: Descriptor,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  let parts: Uint8Array[] = [];
  const memory: BlobTarget & StoreIdentity = {
    label: 'memory',
    key: 'memory',
    hasBlob: () => Promise.resolve(false),
    openUpload: () => {
      parts = [];
      return Promise.resolve({
        offset: 0,
        write: (chunk) => {
          parts.push(Uint8Array.from(chunk));
          return Promise.resolve();
        },
        commit: () => Promise.resolve(),
        abandon: () => Promise.resolve(),
      });
    },
  };
  await moveBlob(source, memory, blob, signal === undefined ? {} : { signal });
  return Buffer.concat(parts);
}
