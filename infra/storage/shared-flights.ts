import { randomUUID } from 'node:crypto';
import { asFailure } from '../../domain/failure.ts';
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

  async #begin(
    key: string,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly waited: boolean; readonly end: () => Promise<void> }> {
    const mark = Buffer.from(randomUUID());
    let waited = false;
    let [seen, since] = ['', performance.now()];
    while (!(await this.#store.write(key, mark, { createOnly: true }))) {
      waited = true;
      const beat = await this.#store.read(key, 1024, signal);
      const text = Buffer.from(beat ?? new Uint8Array()).toString('utf8');
      if (text !== seen) [seen, since] = [text, performance.now()];
      else if (performance.now() - since > this.#options.deadMs) await this.#store.delete(key);
      await pause(this.#options.lookMs * (0.5 + Math.random()), signal);
    }
    let beats = 0;
    let beating: Promise<unknown> = Promise.resolve();
    const timer = setInterval(() => {
      beats += 1;
      const sign = Buffer.from(`${mark.toString('utf8')} ${beats}`);
      beating = this.#store.write(key, sign).catch((error: unknown) => asFailure(error));
    }, this.#options.beatMs);
    const end = async (): Promise<void> => {
      clearInterval(timer);
      await beating;
      await this.#store.delete(key).catch((error: unknown) => asFailure(error));
    };
    return { waited, end };
  }
}
