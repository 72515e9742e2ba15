import type { MiddlewareHandler } from 'hono';
import { Failure } from '../../domain/failure.ts';
import type { ApiEnvironment } from '../context.ts';
import type { RateLimits } from '../dependencies.ts';

/** Callers remembered at once; the one that was quiet the longest is forgotten first, and starts full again. */
const maximumCallers = 10_000;

interface Bucket {
  tokens: number;
  at: number;
}

/** A token bucket for each caller. */
export class RateLimiter {
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(limits: RateLimits = {}) {
    this.#perSecond = limits.perSecond ?? 200;
    this.#burst = limits.burst ?? 1000;
  }

  /** Takes one call. Zero where it may go on, else the milliseconds to wait. `nowMs` never runs backwards for long. */
  take(caller: string, nowMs: number): number {
    const bucket = this.#buckets.get(caller) ?? { tokens: this.#burst, at: nowMs };
    const gained = (Math.max(0, nowMs - bucket.at) / 1000) * this.#perSecond;
    const tokens = Math.min(this.#burst, bucket.tokens + gained);
    const allowed = tokens >= 1;
    this.#remember(caller, { tokens: allowed ? tokens - 1 : tokens, at: nowMs });
    return allowed ? 0 : Math.ceil(((1 - tokens) / this.#perSecond) * 1000);
  }

  #remember(caller: string, bucket: Bucket): void {
    this.#buckets.delete(caller);
    this.#buckets.set(caller, bucket);
    const oldest = this.#buckets.keys().next().value;
    if (this.#buckets.size > maximumCallers && oldest !== undefined) this.#buckets.delete(oldest);
  }
}

/** Refuses a caller who calls too often with `TooManyRequests` and the time to wait. */
export function rateLimit(limiter: RateLimiter, now: () => Date): MiddlewareHandler<ApiEnvironment> {
  return async (context, next) => {
    const wait = limiter.take(context.get('caller')?.username ?? '', now().getTime());
    if (wait > 0) throw new Failure('TooManyRequests', { side: 'caller', retryAfterMs: wait });
    await next();
  };
}
