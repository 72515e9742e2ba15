import { asFailure, Failure } from '../../domain/failure.ts';
import type { Descriptor } from '../../domain/image/descriptor.ts';
import type { BlobTarget, BlobUpload, StoreIdentity, UploadOptions } from './content.ts';

type Member = BlobTarget & StoreIdentity;

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
  readonly left = new Map<Member, Failure>();
  readonly #members: readonly Member[];

  constructor(members: readonly Member[]) {
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
            return { member, upload: await member.openUpload(blob, { ...options, resume: false }) };
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
  readonly member: Member;
  readonly upload: BlobUpload;
}

class FanOutUpload implements BlobUpload {
  readonly offset = 0;
  #open: readonly OpenMember[];
  readonly #left: Map<Member, Failure>;

  constructor(open: readonly OpenMember[], left: Map<Member, Failure>) {
    this.#open = open;
    this.#left = left;
  }

  async write(chunk: Uint8Array): Promise<void> {
    const open = this.#open;
    this.#refuseNobody();
    const pending = new Set(open);
    const writes = open.map(async (each) => {
      try {
        await each.upload.write(chunk);
      } catch (error) {
        this.#leave(each, asFailure(error));
      }
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
      this.#open.map(async (each) => {
        try {
          await each.upload.commit();
        } catch (error) {
          this.#leave(each, asFailure(error));
        }
      }),
    );
    this.#refuseNobody();
  }

  async abandon(): Promise<void> {
    await Promise.all(this.#open.map(({ upload }) => upload.abandon(false)));
  }

  async #withPatience(all: Promise<unknown>, pending: Set<OpenMember>): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const impatience = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        // Where all are slow it is the source, or us: nobody is left behind for that.
        if (pending.size < this.#open.length) {
          for (const each of pending)
            this.#leave(each, new Failure('TooSlow', { subject: each.member.label }));
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
