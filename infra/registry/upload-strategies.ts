/** How a registry likes to receive a blob. */
export interface UploadStrategy {
  /** `put`: all in one PUT. `patch`: PATCH, then an empty PUT. */
  readonly method: 'put' | 'patch';
  /** Bytes of one PATCH at most. Default: no limit. */
  readonly chunkBytes?: number;
}

const put: UploadStrategy = { method: 'put' };
const mebibyte = 1024 * 1024;

/** What is tried in this order where a registry refuses one; what works is remembered per host. */
const ladder: readonly UploadStrategy[] = [
  put,
  { method: 'patch' },
  { method: 'patch', chunkBytes: 16 * mebibyte },
  { method: 'patch', chunkBytes: 5 * mebibyte },
];

/** Known quirks, as of 2026-11. Everything else starts at the top of the ladder. */
const known: readonly (readonly [host: RegExp, strategy: UploadStrategy])[] = [
  // One request may carry about 20 MB (ocync).
  [/\.azurecr\.io$/, { method: 'patch', chunkBytes: 16 * mebibyte }],
  // A second PATCH overwrites the first (ocync).
  [/^ghcr\.io$/, put],
  // No chunked uploads (ocync).
  [/\.pkg\.dev$/, put],
];

/** Remembers which strategy works, per host. */
export class UploadStrategies {
  readonly #learned = new Map<string, UploadStrategy>();

  /** The strategy to use for a host now. */
  of(host: string): UploadStrategy {
    return this.#learned.get(host) ?? known.find(([pattern]) => pattern.test(host))?.[1] ?? put;
  }

  /** Takes in that `refused` did not work; false where there is nothing else to try. */
  refused(host: string, refused: UploadStrategy): boolean {
    if (this.of(host) !== refused) return true;
    const next = ladder[ladder.findIndex((rung) => sameStrategy(rung, refused)) + 1];
    if (next === undefined) {
      // Nothing worked: then it was not the way, and the others need not go the slowest one for it.
      this.#learned.delete(host);
      return false;
    }
    if (this.#learned.size >= 1000) this.#learned.clear();
    this.#learned.set(host, next);
    return true;
  }
}

function sameStrategy(one: UploadStrategy, other: UploadStrategy): boolean {
  return one.method === other.method && one.chunkBytes === other.chunkBytes;
}
