import { createHash, type Hash } from 'node:crypto';
import type { DigestAlgorithm } from '../../domain/names/digest.ts';

const stepBytes = 1024 * 1024;
/** A target rarely forgets more than its socket buffers held; older positions go back to the start. */
const keptCheckpoints = 64;

interface Checkpoint {
  readonly position: number;
  readonly hash: Hash;
}

/**
 * A digest over a stream that can be taken up again at an earlier place: bytes that a target lost are read once more and
 * hashed once more, so that every byte sent is one that was hashed.
 */
export class CheckpointedHash {
  readonly #algorithm: DigestAlgorithm;
  #hash: Hash;
  #position = 0;
  #checkpoints: Checkpoint[] = [];

  constructor(algorithm: DigestAlgorithm) {
    this.#algorithm = algorithm;
    this.#hash = createHash(algorithm);
  }

  /** Bytes hashed so far. */
  get position(): number {
    return this.#position;
  }

  update(chunk: Uint8Array): void {
    this.#hash.update(chunk);
    this.#position += chunk.byteLength;
    const last = this.#checkpoints.at(-1)?.position ?? 0;
    if (this.#position - last < stepBytes) return;
    this.#checkpoints.push({ position: this.#position, hash: this.#hash.copy() });
    if (this.#checkpoints.length > keptCheckpoints) this.#checkpoints.shift();
  }

  /** Goes back to the last known place at or before `position`, and returns that place. */
  rewind(position: number): number {
    if (position >= this.#position) return this.#position;
    this.#checkpoints = this.#checkpoints.filter((checkpoint) => checkpoint.position <= position);
    const last = this.#checkpoints.at(-1);
    this.#hash = last?.hash.copy() ?? createHash(this.#algorithm);
    this.#position = last?.position ?? 0;
    return this.#position;
  }

  /** Hex digest of what was hashed so far; hashing can go on. */
  digest(): string {
    return this.#hash.copy().digest('hex');
  }
}
