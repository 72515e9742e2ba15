/** One request that a double saw, and what it answered. */
export interface TraceEntry {
  /** The double's origin, such as `http://127.0.0.1:40123`. */
  readonly origin: string;
  /** Milliseconds since the trace began. */
  readonly at: number;
  readonly method: string;
  /** Path and query as sent. */
  readonly path: string;
  readonly headerNames: readonly string[];
  readonly authorization: string | undefined;
  readonly cookie: string | undefined;
  readonly range: string | undefined;
  readonly accept: string | undefined;
  /** Bytes of body received from and sent to the client, and the status, or 0 while none was sent. */
  requestBytes: number;
  responseBytes: number;
  status: number;
}

/** What happened at all doubles of one test, in order. The invariants are checked over it. */
export class Trace {
  readonly entries: TraceEntry[] = [];
  /** What no registry may ever have seen: filled in by the doubles' own handlers. */
  readonly violations: string[] = [];
  readonly #start = performance.now();

  now(): number {
    return performance.now() - this.#start;
  }

  add(entry: Omit<TraceEntry, 'at' | 'requestBytes' | 'responseBytes' | 'status'>): TraceEntry {
    const added = { ...entry, at: this.now(), requestBytes: 0, responseBytes: 0, status: 0 };
    this.entries.push(added);
    return added;
  }

  /** Entries of a method (or several, `GET|HEAD`) whose path contains the text or matches the pattern. */
  find(method: string, path: string | RegExp, origin?: string): readonly TraceEntry[] {
    return this.entries.filter(
      (entry) =>
        method.split('|').includes(entry.method) &&
        (typeof path === 'string' ? entry.path.includes(path) : path.test(entry.path)) &&
        (origin === undefined || entry.origin === origin),
    );
  }

  count(method: string, path: string | RegExp, origin?: string): number {
    return this.find(method, path, origin).length;
  }
}
