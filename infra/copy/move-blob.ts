import { asFailure, Failure } from '../../domain/failure.ts';
import type { Descriptor } from '../../domain/image/descriptor.ts';
import { digestAlgorithm, digestHex } from '../../domain/names/digest.ts';
import type { BandwidthLane, BandwidthLimiter } from './bandwidth.ts';
import { CheckpointedHash } from './checkpointed-hash.ts';
import type { BlobSource, BlobTarget, BlobUpload, StoreIdentity, UploadMemory } from './content.ts';
import { RetryPlan } from './retry-plan.ts';

/** What a transfer shares with the others of its copy. */
export interface MoveOptions {
  readonly signal?: AbortSignal;
  readonly memory?: UploadMemory;
  readonly limiter?: BandwidthLimiter;
  /** Called with the bytes that were read and that were sent, as they go. */
  readonly onBytes?: (read: number, sent: number) => void;
}

/** Bytes that count as progress; a connection that breaks after every few bytes is not worth endless tries. */
const leapBytes = 256 * 1024;

type Source = BlobSource & StoreIdentity;
type Target = BlobTarget & StoreIdentity;

/**
 * Moves one blob. Every byte is hashed before it is sent, and the last one is held back until the digest is right, so
 * that no registry ever sees a complete upload of wrong bytes. Broken reads continue at the next byte, broken uploads
 * where the target says it is. Throws the failure of the last try.
 */
export async function moveBlob(
  source: Source,
  target: Target,
  blob: Descriptor,
  options: MoveOptions = {},
): Promise<void> {
  const move = new BlobMove(source, target, blob, options);
  const retry = new RetryPlan(options.signal);
  let wrongBytes = 0;
  for (let resume = true, furthest = 0; ;) {
    try {
      await move.attempt(resume);
      return;
    } catch (error) {
      const failure = asFailure(error);
      if (failure.code === 'DigestMismatch' && wrongBytes === 0) {
        wrongBytes += 1;
        resume = false;
        move.startOver();
        continue;
      }
      if (move.sourceGaveUp) throw failure;
      if (move.sent - furthest >= leapBytes) retry.progressed();
      furthest = Math.max(furthest, move.sent);
      resume = true;
      await retry.next(failure);
      // All was sent and only the answer is missing: the commit may have worked (jib issue 4301).
      if (move.sent === blob.size && (await target.hasBlob(blob, options.signal))) return;
    }
  }
}

class BlobMove {
  /** Bytes that the target was given and has not lost since. */
  sent = 0;
  /** The source was tried as often as makes sense: another upload would not help. */
  sourceGaveUp = false;
  readonly #source: Source;
  readonly #target: Target;
  readonly #blob: Descriptor;
  readonly #options: MoveOptions;
  readonly #lane: BandwidthLane | undefined;
  #hash: CheckpointedHash;
  #hashedAll = true;

  constructor(source: Source, target: Target, blob: Descriptor, options: MoveOptions) {
    this.#source = source;
    this.#target = target;
    this.#blob = blob;
    this.#options = options;
    this.#lane = options.limiter?.lane();
    this.#hash = new CheckpointedHash(digestAlgorithm(blob.digest));
  }

  startOver(): void {
    this.#hash = new CheckpointedHash(digestAlgorithm(this.#blob.digest));
    this.#hashedAll = true;
    this.sent = 0;
  }

  /** Opens or continues an upload and feeds it to the end. */
  async attempt(resume: boolean): Promise<void> {
    const { signal, memory } = this.#options;
    const upload = await this.#target.openUpload(this.#blob, {
      resume,
      ...(signal === undefined ? {} : { signal }),
      ...(memory === undefined ? {} : { memory }),
    });
    this.sent = upload.offset;
    try {
      await this.#feed(upload);
      await upload.commit();
    } catch (error) {
      const failure = asFailure(error);
      await upload.abandon(failure.retryable || failure.code === 'Cancelled');
      throw failure;
    }
  }

  async #feed(upload: BlobUpload): Promise<void> {
    const retry = new RetryPlan(this.#options.signal);
    let position = this.#startPosition(upload.offset);
    if (this.#blob.size === 0) this.#check();
    for (let refusedRanges = 0; this.sent < this.#blob.size;) {
      const before = position;
      try {
        await this.#source.readBlob(
          this.#blob,
          position,
          (chunk) => {
            const from = position;
            position += chunk.byteLength;
            return this.#take(upload, chunk, from);
          },
          this.#options.signal,
        );
        if (position < this.#blob.size) throw this.#failure('Truncated');
      } catch (error) {
        const failure = asFailure(error);
        if (failure.side === 'destination') throw failure;
        if (position - before >= leapBytes && failure.code !== 'TooSlow') retry.progressed();
        if (failure.code !== 'RangeRefused' || position === 0) await this.#retrySource(retry, failure);
        else if (refusedRanges++ > 0) throw failure;
        else position = this.#hash.rewind(0);
      }
    }
  }

  async #retrySource(retry: RetryPlan, failure: Failure): Promise<void> {
    try {
      await retry.next(failure);
    } catch {
      this.sourceGaveUp = true;
      throw failure.subject === undefined ? this.#blamed(failure) : failure;
    }
  }

  #blamed(failure: Failure): Failure {
    const { code, detail, retryAfterMs, cause } = failure;
    return new Failure(code, {
      side: 'source',
      subject: `${this.#source.label}@${this.#blob.digest}`,
      ...(detail === undefined ? {} : { detail }),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      cause,
    });
  }

  /**
   * Where to start reading: at the target's offset, or a little before it where bytes have to be hashed again. An upload
   * of a process that died is continued without its hash: the registry checks the digest of the whole when it commits.
   */
  #startPosition(offset: number): number {
    if (offset > this.#hash.position) {
      this.#hashedAll = this.#hashedAll && this.#hash.position > 0;
      if (!this.#hashedAll) return offset;
    }
    return this.#hashedAll ? this.#hash.rewind(offset) : offset;
  }

  #take(upload: BlobUpload, chunk: Uint8Array, from: number): Promise<void> | undefined {
    const end = from + chunk.byteLength;
    if (end > this.#blob.size) throw this.#failure('SizeMismatch');
    if (this.#hashedAll) {
      this.#hash.update(chunk);
      if (end === this.#blob.size) this.#check();
    }
    const fresh = end <= this.sent ? undefined : chunk.subarray(Math.max(0, this.sent - from));
    this.#options.onBytes?.(chunk.byteLength, fresh?.byteLength ?? 0);
    if (fresh === undefined) return undefined;
    this.sent = end;
    const turn = this.#lane?.take(fresh.byteLength, this.#options.signal);
    return turn === undefined ? upload.write(fresh) : turn.then(() => upload.write(fresh));
  }

  #check(): void {
    if (this.#hash.digest() !== digestHex(this.#blob.digest)) throw this.#failure('DigestMismatch');
  }

  #failure(code: 'SizeMismatch' | 'DigestMismatch' | 'Truncated'): Failure {
    return new Failure(code, { side: 'source', subject: `${this.#source.label}@${this.#blob.digest}` });
  }
}
