import { Failure } from '../../domain/failure.ts';

/** The time that a limiter goes by. */
export interface LimiterClock {
  /** Milliseconds, never going back. */
  now(): number;
  /** Calls back once after `ms` milliseconds; the function returned calls that off. */
  after(ms: number, call: () => void): () => void;
}

const machineClock: LimiterClock = {
  now: () => performance.now(),
  after(ms, call) {
    const timer = setTimeout(call, ms);
    return () => clearTimeout(timer);
  },
};

/** Milliseconds' worth of bytes that may go at once: sleeping for less costs more than it evens out. */
const burstMs = 100;
/** Bytes by which a transfer that asks for its next piece only after the last one went may lag behind and catch up. */
const lagBytes = 512 * 1024;

interface Asked {
  readonly bytes: number;
  readonly go: () => void;
}

interface Lane {
  readonly waiting: Asked[];
  /** Bytes let through, counted from where the others were when it began: the lane with the least is next. */
  served: number;
}

/** One transfer's share of a limiter. */
export interface BandwidthLane {
  /** Resolves when `bytes` may be sent; undefined where that is at once. Throws `Cancelled` when the signal aborts. */
  take(bytes: number, signal?: AbortSignal): Promise<void> | undefined;
}

/**
 * Spreads bytes over time. All transfers that share one limiter share its rate, each as much as the others, however large
 * the pieces are that it asks for. A new rate counts for transfers that are under way.
 */
export class BandwidthLimiter {
  readonly #clock: LimiterClock;
  readonly #lanes = new Set<Lane>();
  #rate: number | undefined;
  /** Bytes that may go now; below zero after a piece that was larger. */
  #credit = 0;
  /** What the lane served last had before: how far the lanes are. */
  #turn = 0;
  #countedAt: number;
  #callOff: (() => void) | undefined;

  /** Bytes per second; undefined is no limit. */
  constructor(bytesPerSecond: number | undefined, clock: LimiterClock = machineClock) {
    this.#clock = clock;
    this.#rate = bytesPerSecond;
    this.#countedAt = clock.now();
    this.#credit = this.#most();
  }

  /** Changes the rate from now on. */
  set rate(bytesPerSecond: number | undefined) {
    if (bytesPerSecond === this.#rate) return;
    this.#count();
    this.#rate = bytesPerSecond;
    this.#credit = Math.min(this.#credit, this.#most());
    this.#serve();
  }

  get rate(): number | undefined {
    return this.#rate;
  }

  /** For one transfer; its pieces are let through in order. */
  lane(): BandwidthLane {
    const lane: Lane = { waiting: [], served: this.#turn };
    return { take: (bytes, signal) => this.#take(lane, bytes, signal) };
  }

  #take(lane: Lane, bytes: number, signal: AbortSignal | undefined): Promise<void> | undefined {
    if (this.#rate === undefined && this.#lanes.size === 0) return undefined;
    if (signal?.aborted === true) return Promise.reject(new Failure('Cancelled', { cause: signal.reason }));
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        const place = lane.waiting.indexOf(asked);
        if (place >= 0) lane.waiting.splice(place, 1);
        if (lane.waiting.length === 0) this.#lanes.delete(lane);
        reject(new Failure('Cancelled', { cause: signal?.reason }));
      };
      const asked: Asked = {
        bytes,
        go() {
          signal?.removeEventListener('abort', leave);
          resolve();
        },
      };
      signal?.addEventListener('abort', leave, { once: true });
      this.#join(lane);
      lane.waiting.push(asked);
      this.#serve();
    });
  }

  /** Time in which a lane asked for nothing is no claim on the future. */
  #join(lane: Lane): void {
    if (this.#lanes.has(lane)) return;
    lane.served = Math.max(lane.served, this.#turn - lagBytes);
    this.#lanes.add(lane);
  }

  #serve(): void {
    this.#callOff?.();
    this.#callOff = undefined;
    this.#count();
    while (this.#lanes.size > 0 && (this.#rate === undefined || this.#credit > 0)) this.#serveNext();
    if (this.#lanes.size === 0 || this.#rate === undefined) return;
    const ms = Math.max(1, ((1 - this.#credit) * 1000) / this.#rate);
    this.#callOff = this.#clock.after(ms, () => this.#serve());
  }

  #serveNext(): void {
    const lane = [...this.#lanes].reduce((best, other) => (other.served < best.served ? other : best));
    const asked = lane.waiting.shift();
    if (lane.waiting.length === 0) this.#lanes.delete(lane);
    if (asked === undefined) return;
    this.#turn = Math.max(this.#turn, lane.served);
    lane.served += asked.bytes;
    this.#credit -= asked.bytes;
    asked.go();
  }

  #count(): void {
    const now = this.#clock.now();
    const earned = ((this.#rate ?? 0) * (now - this.#countedAt)) / 1000;
    this.#credit = this.#rate === undefined ? 0 : Math.min(this.#most(), this.#credit + earned);
    this.#countedAt = now;
  }

  #most(): number {
    return ((this.#rate ?? 0) * burstMs) / 1000;
  }
}
