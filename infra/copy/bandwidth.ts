import { setTimeout as sleep } from 'node:timers/promises';

/** Spreads bytes over time. All transfers that share one limiter share its rate. */
export class BandwidthLimiter {
  readonly #bytesPerSecond: number;
  #freeAt = 0;

  /** Bytes per second. */
  constructor(bytesPerSecond: number) {
    this.#bytesPerSecond = Math.max(1, bytesPerSecond);
  }

  /** Bytes per second. */
  get rate(): number {
    return this.#bytesPerSecond;
  }

  /** Resolves when `bytes` may be sent; calls are served in order. */
  async take(bytes: number, signal?: AbortSignal): Promise<void> {
    const now = performance.now();
    const start = Math.max(now, this.#freeAt);
    this.#freeAt = start + (bytes * 1000) / this.#bytesPerSecond;
    // Up to a tenth of a second may run ahead: sleeping for less costs more than it evens out.
    const wait = start - now - 100;
    if (wait > 0) await sleep(wait, undefined, signal === undefined ? {} : { signal });
  }
}
