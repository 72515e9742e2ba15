/** A registry's own account of how much may still be asked for. */
export interface RateLimit {
  readonly remaining: number;
  /** Undefined where the registry does not tell. */
  readonly limit?: number;
  readonly windowSeconds?: number;
}

/**
 * Reads `ratelimit-remaining: 76;w=21600` and `ratelimit-limit: 100;w=21600` (Docker Hub's pull limit), or the
 * `X-RateLimit-*` pair of its API; undefined where the answer has none, which means "no limit told". `header` answers a
 * header by its lower-case name.
 */
export function readRateLimit(header: (name: string) => string | undefined): RateLimit | undefined {
  const remaining = parse(header('ratelimit-remaining') ?? header('x-ratelimit-remaining'));
  if (remaining === undefined) return undefined;
  const limit = parse(header('ratelimit-limit') ?? header('x-ratelimit-limit'));
  const windowSeconds = remaining.windowSeconds ?? limit?.windowSeconds;
  return {
    remaining: remaining.count,
    ...(limit === undefined ? {} : { limit: limit.count }),
    ...(windowSeconds === undefined ? {} : { windowSeconds }),
  };
}

function parse(
  text: string | undefined,
): { readonly count: number; readonly windowSeconds?: number } | undefined {
  const match = /^(\d{1,15})(?:\s*;\s*w=(\d{1,15}))?\s*(?:[;,].*)?$/.exec(text?.trim() ?? '');
  if (match === null) return undefined;
  return { count: Number(match[1]), ...(match[2] === undefined ? {} : { windowSeconds: Number(match[2]) }) };
}
