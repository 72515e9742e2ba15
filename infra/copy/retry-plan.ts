import { setTimeout as sleep } from 'node:timers/promises';
import type { Failure } from '../../domain/failure.ts';
import type { FailureCode } from '../../domain/failure-catalogue.ts';

/** Tries in all, for the codes that get fewer or more than the usual six. */
const tries: Partial<Record<FailureCode, number>> = {
  DNSFailure: 3,
  ConnectionRefused: 3,
  DestinationFull: 3,
  DestinationReadOnly: 4,
  UnexpectedResponse: 1,
  TooSlow: 3,
  // Tried five times already by whoever asked for the token.
  TokenServerUnavailable: 1,
};
const usualTries = 6;
const firstPauseMs = 200;
const longestPauseMs = 10_000;
/** A pause that the other side asks for and that is longer than this is thrown, for whoever can wait that long. */
const longestAskedMs = 30_000;

/** Decides after each failure whether and when to try again: jitter, doubling, and what the other side asked for. */
export class RetryPlan {
  readonly #signal: AbortSignal | undefined;
  readonly #tries: number | undefined;
  #failures = 0;

  /** `tries`: in all, whatever the code. Default: by the code. */
  constructor(signal: AbortSignal | undefined, tries?: number) {
    this.#signal = signal;
    this.#tries = tries;
  }

  /** Resolves when the next try may start; throws `failure` where there is none. */
  async next(failure: Failure): Promise<void> {
    this.#failures += 1;
    const asked = failure.retryAfterMs ?? 0;
    const enough = this.#failures >= (this.#tries ?? tries[failure.code] ?? usualTries);
    if (!failure.retryable || enough || asked > longestAskedMs || this.#signal?.aborted === true)
      throw failure;
    const backOff = Math.min(firstPauseMs * 2 ** (this.#failures - 1), longestPauseMs);
    const pause = Math.max(asked, backOff * (0.5 + Math.random()));
    try {
      await sleep(pause, undefined, this.#signal === undefined ? {} : { signal: this.#signal });
    } catch {
      throw failure;
    }
  }

  /** Something moved: the next failure counts as the first. */
  progressed(): void {
    this.#failures = 0;
  }
}
