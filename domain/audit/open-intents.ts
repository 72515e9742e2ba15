import type { AuditRecord } from './record.ts';

/** Finds intents that no outcome closed: what was asked for when a process died, and how it ended is not known. */
export class OpenIntents {
  readonly #open = new Map<string, AuditRecord>();

  /** Takes the next record of a stream. A step that has started keeps its action open, too. */
  take(record: AuditRecord): void {
    if (record.stage === 'Requested') this.#open.set(record.id, record);
    else if (record.stage !== 'Started') this.#open.delete(record.id);
    else if (!this.#open.has(record.id)) this.#open.set(record.id, record);
  }

  /** Those that are still open and older than a time (epoch milliseconds): younger ones may still be at work. */
  before(timeMs: number): readonly AuditRecord[] {
    return [...this.#open.values()].filter(({ time }) => Date.parse(time) < timeMs);
  }

  /** Sequence of the oldest that is open; undefined where none is. */
  get oldest(): number | undefined {
    return this.#open.size === 0 ? undefined : Math.min(...[...this.#open.values()].map(({ seq }) => seq));
  }
}
