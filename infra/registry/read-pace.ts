import { Failure } from '../../domain/failure.ts';

/** When a read is given up: never for its total time, only for silence or for a crawl. */
export interface PaceLimits {
  /** Milliseconds until an answer's head must have come. Default: 30 000. */
  readonly headersTimeoutMs?: number;
  /** Milliseconds without a byte. Default: 30 000. */
  readonly idleTimeoutMs?: number;
  /** Bytes per second that must come on average over a window. Default: 10 240. */
  readonly floorBytesPerSecond?: number;
  /** Milliseconds of that window. Default: 60 000. */
  readonly floorWindowMs?: number;
}

const tickMs = 250;

/** Watches one connection while something is expected from it; time in which the writer is slow does not count. */
export class ReadPace {
  readonly #limits: Required<PaceLimits>;
  readonly #giveUp: (failure: Failure) => void;
  #timer: NodeJS.Timeout | undefined;
  #silentMs = 0;
  #windowMs = 0;
  #windowBytes = 0;
  #forHead = false;
  #resting = true;

  constructor(limits: PaceLimits, giveUp: (failure: Failure) => void) {
    this.#limits = {
      headersTimeoutMs: limits.headersTimeoutMs ?? 30_000,
      idleTimeoutMs: limits.idleTimeoutMs ?? 30_000,
      floorBytesPerSecond: limits.floorBytesPerSecond ?? 10_240,
      floorWindowMs: limits.floorWindowMs ?? 60_000,
    };
    this.#giveUp = giveUp;
  }

  waitForHead(): void {
    this.#forHead = true;
    this.#silentMs = this.#windowMs = this.#windowBytes = 0;
    this.#start();
  }

  waitForBody(): void {
    this.#forHead = false;
    this.#start();
  }

  saw(bytes: number): void {
    this.#windowBytes += bytes;
    // A head has to be there in time as a whole, not byte by byte.
    if (!this.#forHead) this.#silentMs = 0;
  }

  /** Nothing is expected for now. */
  rest(): void {
    this.#resting = true;
    this.#silentMs = 0;
  }

  stop(): void {
    this.#resting = true;
    clearInterval(this.#timer);
  }

  #start(): void {
    this.#resting = false;
    this.#timer ??= setInterval(() => this.#tick(), tickMs).unref();
  }

  #tick(): void {
    if (this.#resting) return;
    this.#silentMs += tickMs;
    this.#windowMs += tickMs;
    if (this.#silentMs >= (this.#forHead ? this.#limits.headersTimeoutMs : this.#limits.idleTimeoutMs)) {
      this.#giveUp(new Failure('Timeout', { detail: this.#forHead ? 'no answer' : 'the transfer stopped' }));
    } else if (this.#windowMs >= this.#limits.floorWindowMs) {
      const rate = (this.#windowBytes * 1000) / this.#windowMs;
      this.#windowMs = this.#windowBytes = 0;
      if (!this.#forHead && rate < this.#limits.floorBytesPerSecond) {
        this.#giveUp(new Failure('TooSlow', { detail: `${Math.round(rate)} bytes per second` }));
      }
    }
  }
}
