import { randomUUID } from 'node:crypto';
import { asFailure, Failure } from '../../domain/failure.ts';
import type { Descriptor } from '../../domain/image/descriptor.ts';
import { digestHex } from '../../domain/names/digest.ts';
import { pause } from '../copy/in-parallel.ts';
import type { ObjectStore } from './object-store.ts';

/** Bytes from which a blob is worth waiting for. */
const sharedFrom = 1024 * 1024;

export interface SharedFlightOptions {
  /** Milliseconds between two signs of life of a flight. Default: 5 s. */
  readonly beatMs?: number;
  /** Milliseconds without a sign of life after which a flight counts as dead and another takes over. Default: 20 s. */
  readonly deadMs?: number;
  /** Milliseconds between two looks of one who waits. Default: 1 s. */
  readonly lookMs?: number;
}

interface Flight {
  /** Whether somebody else was at it before. */
  readonly waited: boolean;
  readonly end: () => Promise<void>;
  /** Whether no silence was ever long enough for others to count it as dead. */
  readonly isAlive: () => boolean;
}

/**
 * One download of a blob for all processes that want it: who begins writes `flights/<name>` create-only and renews it
 * while it works; the others wait, and look into the pool when their turn comes. A clock is only ever compared with
 * itself. It saves traffic and decides nothing: where a store writes a name twice, a blob is fetched twice.
 */
export class SharedFlights {
  readonly #store: ObjectStore;
  readonly #options: Required<SharedFlightOptions>;

  constructor(store: ObjectStore, options: SharedFlightOptions = {}) {
    this.#store = store;
    this.#options = { beatMs: 5000, deadMs: 20_000, lookMs: 1000, ...options };
  }

  /**
   * Runs `bring` when nobody else is at the blob; `waited` says that somebody was, so that it may be there now. A small
   * blob is fetched twice sooner than anybody waits for it.
   */
  async run(
    blob: Descriptor,
    bring: (waited: boolean) => Promise<void>,
    signal?: AbortSignal,
  ): Promise<void> {
    if (blob.size < sharedFrom) return bring(false);
    const { end, waited } = await this.#begin(`flights/${digestHex(blob.digest)}`, signal);
    try {
      await bring(waited);
    } finally {
      await end();
    }
  }

  /**
   * Runs work while nobody else is at anything of this name. `work` is handed what throws `StorageUnavailable` where others
   * may count it as dead by now.
   */
  async alone<T>(name: string, work: (stillHeld: () => void) => Promise<T>): Promise<T> {
    const { end, isAlive } = await this.#begin(`flights/${name}`);
    try {
      return await work(() => {
        if (!isAlive())
          throw new Failure('StorageUnavailable', { side: 'storage', detail: 'it was too slow' });
      });
    } finally {
      await end();
    }
  }

  /** Waits until nobody is at anything of this name. */
  async settled(name: string, signal?: AbortSignal): Promise<void> {
    const flight = new Watched();
    for (;;) {
      const beat = await this.#store.read(`flights/${name}`, 1024, signal);
      if (beat === undefined || flight.silentMs(beat) > this.#options.deadMs) return;
      await pause(this.#options.lookMs * (0.5 + Math.random()), signal);
    }
  }

  async #begin(key: string, signal?: AbortSignal): Promise<Flight> {
    const mark = Buffer.from(randomUUID());
    let waited = false;
    const other = new Watched();
    while (!(await this.#store.write(key, mark, { createOnly: true }))) {
      waited = true;
      const beat = await this.#store.read(key, 1024, signal);
      if (other.silentMs(beat) > this.#options.deadMs) await this.#store.delete(key);
      await pause(this.#options.lookMs * (0.5 + Math.random()), signal);
    }
    return this.#fly(key, mark, waited);
  }

  /** Gives signs of life until the end, and none any more where somebody else has taken over. */
  #fly(key: string, mark: Buffer, waited: boolean): Flight {
    const { beatMs, deadMs } = this.#options;
    let [beats, heard, isDead] = [0, performance.now(), false];
    const isOurs = async (): Promise<boolean> =>
      Buffer.from((await this.#store.read(key, 1024)) ?? '')
        .subarray(0, mark.length)
        .equals(mark);
    const beat = async (): Promise<void> => {
      const began = performance.now();
      if (!(await isOurs())) {
        isDead = true;
        return clearInterval(timer);
      }
      beats += 1;
      await this.#store.write(key, Buffer.from(`${mark.toString('utf8')} ${beats}`));
      // Whoever watched it during such a silence may have gone on without it.
      if (began - heard >= deadMs / 2) isDead = true;
      heard = began;
    };
    let beating: Promise<void> | undefined;
    const timer = setInterval(() => {
      beating ??= beat()
        .catch(() => undefined)
        .finally(() => (beating = undefined));
    }, beatMs);
    const end = async (): Promise<void> => {
      clearInterval(timer);
      await beating;
      const last = isOurs().then((ours) => (ours ? this.#store.delete(key) : undefined));
      await last.catch((error: unknown) => asFailure(error));
    };
    return { waited, end, isAlive: () => !isDead && performance.now() - heard < deadMs / 2 };
  }
}

/** The signs of life of somebody else's flight. */
class Watched {
  #seen = '';
  #since = performance.now();

  /** Milliseconds without a new one. */
  silentMs(beat: Uint8Array | undefined): number {
    const text = Buffer.from(beat ?? new Uint8Array()).toString('utf8');
    if (text !== this.#seen) [this.#seen, this.#since] = [text, performance.now()];
    return performance.now() - this.#since;
  }
}
