import type { AuditRecord } from './record.ts';

/** Finds intents that no outcome closed: what was asked for when a process died, and how it ended is not known. */
export class OpenIntents {
  readonly #open = new Map<string, AuditRecord>();

  /** Takes the next record of a stream. */
  take(record: AuditRecord): void {
    if (record.stage === 'Requested') this.#open.set(record.id, record);
    else this.#open.delete(record.id);
  }

  /** Those that are still open and older than a time (epoch milliseconds): younger ones may still be at work. */
  before(timeMs: number): readonly AuditRecord[] {
    return [...this.#open.values()].filter(({ time }) => Date.parse(time) < timeMs);
  }
}
