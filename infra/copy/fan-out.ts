import { asFailure, Failure } from '../../domain/failure.ts';
import type { Descriptor } from '../../domain/image/descriptor.ts';
import type { BandwidthLane, BandwidthLimiter } from './bandwidth.ts';
import type { BlobTarget, BlobUpload, StoreIdentity, UploadOptions } from './content.ts';

/** One of several targets that get a blob from one read. */
export interface FanMember {
  readonly target: BlobTarget & StoreIdentity;
  /** Stops this target only. Default: none. */
  readonly signal?: AbortSignal;
  /** Default: no limit. */
  readonly limiter?: BandwidthLimiter;
  /** Told the bytes that went to this target. */
  onSent(bytes: number): void;
  /** Told when this target has the blob. */
  onStored(): void;
}

/** Milliseconds that one target may hold up the others before it is left behind. */
const patienceMs = 10_000;

/**
 * Several targets as one: what is read once is written to all. A target that fails or is far slower than the others is
 * left behind and gets the blob afterwards, from one that has it.
 */
export class FanOut implements BlobTarget {
  readonly label = 'several targets';
  readonly key = 'fan-out';
  /** Targets that were left behind, with why. */
  readonly left = new Map<FanMember, Failure>();
  readonly #members: readonly FanMember[];

  constructor(members: readonly FanMember[]) {
    this.#members = members;
  }

  hasBlob(): Promise<boolean> {
    return Promise.resolve(false);
  }

  /** Starts at byte 0 everywhere: one stream cannot be at several places. */
  async openUpload(blob: Descriptor, options: UploadOptions = {}): Promise<BlobUpload> {
    const opened = await Promise.all(
      this.#members
        .filter((member) => !this.left.has(member))
        .map(async (member) => {
          try {
            const signal = member.signal ?? options.signal;
            const own = { ...options, resume: false, ...(signal === undefined ? {} : { signal }) };
            const lane = member.limiter?.lane();
            return { member, lane, upload: await member.target.openUpload(blob, own) };
          } catch (error) {
            this.left.set(member, asFailure(error));
            return undefined;
          }
        }),
    );
    return new FanOutUpload(
      opened.filter((each) => each !== undefined),
      this.left,
    );
  }
}

interface OpenMember {
  readonly member: FanMember;
  readonly lane: BandwidthLane | undefined;
  readonly upload: BlobUpload;
}

class FanOutUpload implements BlobUpload {
  readonly offset = 0;
  #open: readonly OpenMember[];
  readonly #left: Map<FanMember, Failure>;

  constructor(open: readonly OpenMember[], left: Map<FanMember, Failure>) {
    this.#open = open;
    this.#left = left;
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#refuseNobody();
    const open = this.#open;
    const pending = new Set(open);
    const writes = open.map(async (each) => {
      await this.#trying(each, () => this.#send(each, chunk));
      pending.delete(each);
    });
    const all = Promise.all(writes);
    if (open.length > 1) await this.#withPatience(all, pending);
    else await all;
    this.#refuseNobody();
  }

  async commit(): Promise<void> {
    this.#refuseNobody();
    await Promise.all(
      this.#open.map((each) =>
        this.#trying(each, async () => {
          await each.upload.commit();
          each.member.onStored();
        }),
      ),
    );
    this.#refuseNobody();
  }

  async abandon(): Promise<void> {
    await Promise.all(this.#open.map(({ upload }) => upload.abandon(false)));
  }

  async #send({ member, lane, upload }: OpenMember, chunk: Uint8Array): Promise<void> {
    await lane?.take(chunk.byteLength, member.signal);
    await upload.write(chunk);
    member.onSent(chunk.byteLength);
  }

  async #trying(each: OpenMember, step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      this.#leave(each, asFailure(error));
    }
  }

  async #withPatience(all: Promise<unknown>, pending: Set<OpenMember>): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const impatience = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        // Where all are slow it is the source, or us: nobody is left behind for that.
        if (pending.size < this.#open.length) {
          for (const each of pending)
            this.#leave(each, new Failure('TooSlow', { subject: each.member.target.label }));
        }
        resolve();
      }, patienceMs);
    });
    await Promise.race([all, impatience]);
    clearTimeout(timer);
    await all;
  }

  #leave(each: OpenMember, failure: Failure): void {
    if (!this.#open.includes(each)) return;
    this.#open = this.#open.filter((other) => other !== each);
    this.#left.set(each.member, failure);
    void each.upload.abandon(failure.retryable);
  }

  /** Nobody left to write to: the first one's reason stands for all. */
  #refuseNobody(): void {
    if (this.#open.length > 0) return;
    const [first] = this.#left.values();
    throw new Failure(first?.code ?? 'UploadFailed', { side: 'destination', cause: first });
  }
}
