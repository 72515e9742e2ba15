import { Failure } from '../../domain/failure.ts';

/** A connection that may be kept for the next one who needs it. */
export interface Keepable {
  readonly usable: boolean;
  destroy(reason: unknown): void;
}

/** Milliseconds that a connection is kept: less than what servers and load balancers wait before they close one. */
const keptMs = 15_000;

/** Connections to one origin that nobody uses now. Those that nobody came for are closed, so that many registries cost little. */
export class IdleConnections<C extends Keepable> {
  readonly #most: number;
  readonly #keptMs: number;
  #kept: { readonly connection: C; readonly since: number }[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** `most`: how many are kept. `ms`: for how long. Default: 15 000. */
  constructor(most: number, ms = keptMs) {
    this.#most = most;
    this.#keptMs = ms;
  }

  /** Keeps a connection, or closes it where it is of no use or where there are enough. */
  keep(connection: C): void {
    if (!connection.usable || this.#kept.length >= this.#most) return drop(connection);
    this.#kept.push({ connection, since: performance.now() });
    this.#watch();
  }

  /** The one that was used last; undefined where there is none. */
  take(): C | undefined {
    for (let last = this.#kept.pop(); last !== undefined; last = this.#kept.pop()) {
      if (last.connection.usable && !this.#isOld(last.since)) return last.connection;
      drop(last.connection);
    }
    return undefined;
  }

  close(): void {
    for (const { connection } of this.#kept) drop(connection);
    this.#kept = [];
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #isOld(since: number): boolean {
    return performance.now() - since >= this.#keptMs;
  }

  #watch(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const { old = [], fresh = [] } = Object.groupBy(this.#kept, ({ since }) =>
        this.#isOld(since) ? 'old' : 'fresh',
      );
      for (const { connection } of old) drop(connection);
      this.#kept = fresh;
      if (fresh.length > 0) this.#watch();
    }, this.#keptMs).unref();
  }
}

function drop(connection: Keepable): void {
  connection.destroy(new Failure('Cancelled'));
}
