import type { Descriptor } from '../../domain/image/descriptor.ts';
import type { Digest } from '../../domain/names/digest.ts';
import type { CopyProgress, CopyReport } from './engine.ts';
import type { ImageGraph } from './image-graph.ts';

/** Counts what one copy reads, moves and finds already there. */
export class CopyTally {
  readonly #graph: ImageGraph;
  readonly #onProgress: ((progress: CopyProgress) => void) | undefined;
  readonly #total: number;
  readonly #sent = new Map<Digest, number>();
  #done = 0;
  #read = 0;
  #moved = 0;
  #reused = 0;
  #blobsMoved = 0;
  #blobsReused = 0;
  #manifests = 0;

  constructor(graph: ImageGraph, onProgress: ((progress: CopyProgress) => void) | undefined) {
    this.#graph = graph;
    this.#onProgress = onProgress;
    this.#total = graph.blobs.reduce((sum, blob) => sum + blob.size, 0);
    this.#read = graph.manifests.reduce((sum, node) => sum + node.stored.bytes.byteLength, 0);
    this.#report();
  }

  moved(blob: Descriptor, read: number, sent: number): void {
    this.#read += read;
    this.#moved += sent;
    const before = this.#sent.get(blob.digest) ?? 0;
    // What is sent a second time is no progress.
    const after = Math.min(blob.size, before + sent);
    this.#sent.set(blob.digest, after);
    this.#done += after - before;
    this.#report();
  }

  placed(blob: Descriptor): void {
    const sent = this.#sent.get(blob.digest);
    if (sent === undefined) {
      this.#reused += blob.size;
      this.#blobsReused += 1;
    } else this.#blobsMoved += 1;
    this.#done += blob.size - (sent ?? 0);
    this.#sent.set(blob.digest, blob.size);
    this.#report();
  }

  pushed(bytes: number): void {
    this.#manifests += 1;
    this.#moved += bytes;
  }

  report(): CopyReport {
    return {
      root: this.#graph.root.digest,
      bytesRead: this.#read,
      bytesMoved: this.#moved,
      bytesReused: this.#reused,
      blobsMoved: this.#blobsMoved,
      blobsReused: this.#blobsReused,
      manifestsPushed: this.#manifests,
      referrers: 0,
      referrersMissing: 0,
    };
  }

  #report(): void {
    this.#onProgress?.({ totalBytes: this.#total, doneBytes: this.#done, movedBytes: this.#moved });
  }
}
