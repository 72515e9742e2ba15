import { Slots } from './slots.ts';

/** Bytes from which a transfer is a large one. */
const usualLargeBytes = 64 * 1024 * 1024;

/**
 * Places for transfers, of which large ones never take the last: who has little to move does not wait for hours behind
 * those who have much.
 */
export class TransferSlots {
  readonly #all: Slots;
  readonly #large: Slots;
  readonly #largeBytes: number;

  /** `largeBytes`: from which on a transfer is a large one. Default: 64 MiB. */
  constructor(size: number, largeBytes = usualLargeBytes) {
    this.#all = new Slots(size);
    this.#large = new Slots(Math.max(1, size - Math.floor(size / 4)));
    this.#largeBytes = largeBytes;
  }

  /** Runs `task`, which moves `bytes`, in a free place. Rejects with `Cancelled` where `signal` aborts before it got one. */
  run<T>(bytes: number, task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const inPlace = (): Promise<T> => this.#all.run(task, signal);
    return bytes < this.#largeBytes ? inPlace() : this.#large.run(inPlace, signal);
  }
}
