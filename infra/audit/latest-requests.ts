import type { AuditObject, AuditRecord } from '../../domain/audit/record.ts';
import type { AuditReader, AuditTail } from './audit-log.ts';

/** Tells who asked for something. */
export interface Requesters {
  /** Name of who last asked for one of the verbs on an object, a short while ago; undefined where the log does not tell. */
  whoAsked(object: AuditObject, verbs: readonly string[]): Promise<string | undefined>;
}

/** What is handed to it. */
export interface LatestRequestsOptions {
  readonly reader: Pick<AuditReader, 'streams' | 'records'> & AuditTail;
  /** Name of our own account: what it does by itself is nobody's request. */
  readonly own: string;
  /** Epoch milliseconds. Default: the system's clock. */
  readonly now?: () => number;
  /** Milliseconds that the log has to answer. Default: 2 s. */
  readonly patienceMs?: number;
}

/** Milliseconds for which a request counts as the reason for what is done. */
const requestMs = 300_000;
/** Requests kept in mind. */
const mostRequests = 20_000;

interface Request {
  readonly who: string;
  readonly at: number;
}

/**
 * Follows all streams of the log and remembers who asked for what: the webhook writes a person's change down before the
 * cluster stores it, so what is done because of it can be told under that name. A log that cannot be read, or not in time,
 * tells nothing, and nothing waits for it.
 */
export class LatestRequests implements Requesters {
  readonly #options: LatestRequestsOptions;
  /** Last sequence that was read, by stream. */
  readonly #seen = new Map<string, number>();
  /** By object and verb, oldest first. */
  readonly #requests = new Map<string, Request>();
  #reading: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(options: LatestRequestsOptions) {
    this.#options = options;
  }

  async whoAsked(object: AuditObject, verbs: readonly string[]): Promise<string | undefined> {
    const timer = Promise.withResolvers<void>();
    const timeout = setTimeout(timer.resolve, this.#options.patienceMs ?? 2_000);
    const read = this.#read().catch(() => undefined);
    await Promise.race([read, timer.promise]).finally(() => clearTimeout(timeout));
    const since = this.#now() - requestMs;
    const found = verbs.flatMap((verb) => this.#requests.get(keyOf(object, verb)) ?? []);
    const [latest] = found.filter(({ at }) => at >= since).sort((a, b) => b.at - a.at);
    return latest?.who;
  }

  /** A pass that began before somebody asked may have missed what they ask about: they share the one after it. */
  #read(): Promise<void> {
    if (this.#reading === undefined) {
      this.#reading = this.#pass().finally(() => (this.#reading = undefined));
      return this.#reading;
    }
    this.#next ??= this.#reading
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined;
        return this.#read();
      });
    return this.#next;
  }

  async #pass(): Promise<void> {
    const { reader } = this.#options;
    for (const stream of await reader.streams()) {
      const seen = this.#seen.get(stream);
      const records =
        seen === undefined
          ? reader.records(stream, this.#now() - requestMs)
          : reader.recordsFrom(stream, seen + 1);
      for await (const record of records) this.#take(stream, record);
      if (!this.#seen.has(stream)) this.#seen.set(stream, 0);
    }
  }

  #take(stream: string, record: AuditRecord): void {
    if (record.seq <= (this.#seen.get(stream) ?? 0)) return;
    this.#seen.set(stream, record.seq);
    const who = record.onBehalfOf ?? record.actor.name;
    if (record.stage !== 'Requested' || who === this.#options.own) return;
    const key = keyOf(record.object, record.verb);
    this.#requests.delete(key);
    this.#requests.set(key, { who, at: Date.parse(record.time) });
    const [oldest] = this.#requests.keys();
    if (this.#requests.size > mostRequests && oldest !== undefined) this.#requests.delete(oldest);
  }

  #now(): number {
    return (this.#options.now ?? Date.now)();
  }
}

const keyOf = ({ resource, namespace = '', name = '' }: AuditObject, verb: string): string =>
  `${resource} ${namespace}/${name} ${verb}`;
