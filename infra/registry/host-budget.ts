import { setTimeout as sleep } from 'node:timers/promises';
import { failureCatalogue, type FailureCode } from '../../domain/failure-catalogue.ts';
import { Failure } from '../../domain/failure.ts';
import { Slots } from './slots.ts';
import { TransferSlots } from './transfer-slots.ts';

/** How much one host is asked at a time, by all work of this process together. */
export interface BudgetLimits {
  /** Short calls at once. Default: 16. */
  readonly calls?: number;
  /** Blobs read and blobs written at once, each. Default: 8. */
  readonly transfers?: number;
  /** Bytes of a blob that is a large one: those take at most three quarters of the places. Default: 64 MiB. */
  readonly largeBytes?: number;
  /** Milliseconds of a registry's pause that are waited for in place; longer ones are thrown. Default: 30 000. */
  readonly longestWaitMs?: number;
  /** Failures in a row after which the host is left alone for a while. Default: 12. */
  readonly breakAfter?: number;
  /** Milliseconds it is then left alone. Default: 30 000. */
  readonly breakMs?: number;
  /** Milliseconds that the first call after a pause may take before another one goes first. Default: 5000. */
  readonly probeMs?: number;
}

/** The budget of one host. A pause or an outage seen by one call holds back all of them. */
export class HostBudget {
  readonly calls: Slots;
  readonly reads: TransferSlots;
  readonly writes: TransferSlots;
  readonly #longestWaitMs: number;
  readonly #breakAfter: number;
  readonly #breakMs: number;
  readonly #probeMs: number;
  readonly #host: string;
  #pausedUntil = 0;
  /** Until when the others wait for who went first after a pause; 0 where nobody did. */
  #probedUntil = 0;
  #failures = 0;
  #brokenUntil = 0;
  #lastCode: FailureCode = 'RegistryUnavailable';

  constructor(host: string, limits: BudgetLimits = {}) {
    this.#host = host;
    this.calls = new Slots(limits.calls ?? 16);
    this.reads = new TransferSlots(limits.transfers ?? 8, limits.largeBytes);
    this.writes = new TransferSlots(limits.transfers ?? 8, limits.largeBytes);
    this.#longestWaitMs = limits.longestWaitMs ?? 30_000;
    this.#breakAfter = limits.breakAfter ?? 12;
    this.#breakMs = limits.breakMs ?? 30_000;
    this.#probeMs = limits.probeMs ?? 5000;
  }

  /**
   * Waits out a pause; after it one caller goes first and the rest follow once that one was served. One that takes long, as
   * a large upload does, is followed by the next, so that nobody waits for the end of it.
   */
  async enter(signal?: AbortSignal): Promise<void> {
    this.#refuseWhileBroken();
    while (this.#pausedUntil > 0) {
      const now = performance.now();
      const wait = this.#pausedUntil - now;
      if (wait > this.#longestWaitMs) {
        throw new Failure('RateLimited', { subject: this.#host, retryAfterMs: Math.ceil(wait) });
      }
      if (wait <= 0 && now >= this.#probedUntil) {
        this.#probedUntil = now + this.#probeMs;
        return;
      }
      await sleep(Math.max(wait, 50) + Math.random() * 50, undefined, signal === undefined ? {} : { signal });
    }
  }

  /** The host answered, whatever it said, except that it is overloaded. */
  served(): void {
    this.#failures = 0;
    this.#brokenUntil = 0;
    if (this.#probedUntil === 0) return;
    this.#probedUntil = this.#pausedUntil = 0;
  }

  /** The host asked for a pause. Milliseconds. */
  pause(ms: number): void {
    this.#probedUntil = 0;
    this.#pausedUntil = Math.max(this.#pausedUntil, performance.now() + ms);
  }

  /** The host failed to answer, or answered 5xx; `code` says how. */
  failed(code: FailureCode): void {
    this.#probedUntil = 0;
    this.#failures += 1;
    this.#lastCode = code;
    if (this.#failures >= this.#breakAfter) this.#brokenUntil = performance.now() + this.#breakMs;
  }

  /** The caller gave up before there was an answer. */
  abandoned(): void {
    this.#probedUntil = 0;
  }

  /** Whether the host asked for a pause in the last moments, so that odd answers are to be read as more of the same. */
  get throttling(): boolean {
    return this.#pausedUntil > 0;
  }

  /** One probe is let through when the time is over; the next ones wait for how it went. */
  #refuseWhileBroken(): void {
    if (this.#brokenUntil === 0) return;
    const left = this.#brokenUntil - performance.now();
    if (left <= 0) {
      this.#brokenUntil = performance.now() + this.#breakMs;
      return;
    }
    throw new Failure('RegistryUnavailable', {
      subject: this.#host,
      detail: `${this.#failures} times in a row: ${failureCatalogue[this.#lastCode].en}`,
      retryAfterMs: Math.ceil(left),
    });
  }
}

/** The budgets of all hosts, one each. */
export class HostBudgets {
  readonly #limits: BudgetLimits;
  readonly #budgets = new Map<string, HostBudget>();

  constructor(limits: BudgetLimits = {}) {
    this.#limits = limits;
  }

  /** `host` is host:port. */
  of(host: string): HostBudget {
    const known = this.#budgets.get(host);
    if (known !== undefined) return known;
    if (this.#budgets.size >= 1000) this.#budgets.clear();
    const made = new HostBudget(host, this.#limits);
    this.#budgets.set(host, made);
    return made;
  }
}
