import { factKey, type AuditEntry } from '../../domain/audit/record.ts';
import { Failure } from '../../domain/failure.ts';
import type { AuditOutbox, AuditReader, AuditSpool, AuditWriter } from './audit-log.ts';

/** Entries that are written to the log together after it was away. */
const flushAtOnce = 200;
/** Milliseconds during which a log that was away is not asked again for every single entry. */
const awayMs = 2_000;

/**
 * Writes to the log, and to the spool while the log is away. What waits is written first, in order, so that an outcome
 * never comes before its intent.
 */
export class SpooledOutbox implements AuditOutbox {
  readonly #writer: AuditWriter;
  readonly #spool: AuditSpool;
  readonly #now: () => number;
  #flushing: Promise<void> | undefined;
  #awayUntil = 0;

  constructor(writer: AuditWriter, spool: AuditSpool, now: () => number = () => performance.now()) {
    this.#writer = writer;
    this.#spool = spool;
    this.#now = now;
  }

  async append(entry: AuditEntry): Promise<void> {
    await this.flush();
    await this.#writer.append(entry);
  }

  async keep(entry: AuditEntry): Promise<void> {
    if (this.#now() < this.#awayUntil) return this.#spool.add(entry);
    try {
      await this.append(entry);
    } catch {
      this.#awayUntil = this.#now() + awayMs;
      await this.#spool.add(entry);
    }
  }

  /** Writes what waits; also called by a timer and before the process ends. Throws `AuditUnavailable`. */
  flush(): Promise<void> {
    this.#flushing ??= this.#flush().finally(() => (this.#flushing = undefined));
    return this.#flushing;
  }

  /** Forgets what a crash left in the spool although the log has it already. Called once, before the first entry. */
  async settle(reader: AuditReader, stream: string): Promise<void> {
    const { entries } = this.#spool;
    const [first] = entries;
    if (first === undefined) return;
    const stored = new Set<string>();
    for await (const record of reader.records(stream, Date.parse(first.time))) stored.add(factKey(record));
    const missing = entries.filter((entry) => !stored.has(factKey(entry)));
    const count = entries.length;
    for (const entry of missing) await this.#spool.add(entry);
    await this.#spool.drop(count);
  }

  async #flush(): Promise<void> {
    while (this.#spool.entries.length > 0) {
      const waiting = this.#spool.entries.slice(0, flushAtOnce);
      const written = await Promise.allSettled(waiting.map((entry) => this.#writer.append(entry)));
      // They are written in order: what went before the first that could not be is in the log, and not told again.
      const lost = written.findIndex(({ status }) => status === 'rejected');
      await this.#spool.drop(lost < 0 ? waiting.length : lost);
      const [failed] = written.slice(lost < 0 ? written.length : lost);
      if (failed?.status === 'rejected') throw failed.reason;
    }
  }
}

/** No disk to wait on: what cannot be written to the log is refused. */
export const noSpool: AuditSpool = {
  entries: [],
  add: () =>
    Promise.reject(new Failure('AuditUnavailable', { side: 'storage', detail: 'there is no spool' })),
  drop: async () => {},
};
