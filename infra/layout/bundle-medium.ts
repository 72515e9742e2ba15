import { Failure } from '../../domain/failure.ts';
import type { BundleFile } from '../../domain/bundle/file-set.ts';
import type { ByteSink } from '../copy/content.ts';
import type { FilePart } from './read-file.ts';

/** A bundle as a carrier brings it: a directory or an archive. Only plain files under a bundle's own names. */
export interface BundleMedium {
  /** For people: the path. */
  readonly label: string;
  /** All files, as they were when it was opened. */
  readonly files: readonly BundleFile[];
  /**
   * Delivers a file's bytes from an offset to its end; resolves when the last sink call resolved. Throws
   * `BundleIncomplete` where there is no such file, `NotRegularFile`, or `MediaError` where the medium fails.
   */
  read(name: string, from: number, sink: ByteSink, signal?: AbortSignal): Promise<void>;
  /** Holds a file open while `use` works on it. Throws as `read` does. */
  withFile<T>(name: string, use: (whole: FilePart) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** A whole file in memory. Throws `BundleTooLarge` beyond `most` bytes, before anything is read. */
export async function readSmall(medium: BundleMedium, name: string, most: number): Promise<Uint8Array> {
  const size = medium.files.find((file) => file.name === name)?.size;
  if (size === undefined) throw new Failure('BundleIncomplete', { subject: name });
  if (size > most) throw new Failure('BundleTooLarge', { subject: name, detail: `${size} bytes` });
  const bytes = new Uint8Array(size);
  let at = 0;
  await medium.read(name, 0, (chunk) => {
    if (at + chunk.byteLength > size) throw new Failure('BundleCorrupt', { subject: name });
    bytes.set(chunk, at);
    at += chunk.byteLength;
    return undefined;
  });
  if (at !== size) throw new Failure('BundleCorrupt', { subject: name, detail: 'shorter than it was' });
  return bytes;
}
