import type { Checkpoint } from '../../domain/audit/checkpoint.ts';
import type { AuditRecord } from '../../domain/audit/record.ts';
import { checkpointsPrefix, recordsPrefix } from './audit-keys.ts';
import type { AuditObjects, AuditReader } from './audit-log.ts';
import { parseCheckpoint, parseRecords } from './parse-record.ts';

/** How far the store's clock and ours may be apart, in milliseconds. */
const clockSkewMs = 300_000;

/** Reads what a chained audit log wrote, one object at a time. */
export class StoredAuditReader implements AuditReader {
  readonly #objects: AuditObjects;

  constructor(objects: AuditObjects) {
    this.#objects = objects;
  }

  async streams(): Promise<readonly string[]> {
    const names = new Set<string>();
    for (;;) {
      // One key a stream: a list that starts after all keys of those that are known finds the next one.
      const known = [...names].at(-1);
      const after = known === undefined ? undefined : `${recordsPrefix(known)}~`;
      const next = await this.#objects.list(recordsPrefix(), after)[Symbol.asyncIterator]().next();
      const name =
        next.done === true ? undefined : next.value.key.slice(recordsPrefix().length).split('/')[0];
      if (name === undefined || name === '' || names.has(name)) return [...names];
      names.add(name);
    }
  }

  async *records(stream: string, sinceMs = Number.NEGATIVE_INFINITY): AsyncIterable<AuditRecord> {
    for await (const { key, writtenMs } of this.#objects.list(recordsPrefix(stream))) {
      if (writtenMs < sinceMs - clockSkewMs) continue;
      yield* parseRecords((await this.#objects.read(key)) ?? '');
    }
  }

  /** All checkpoints of a stream, in order. */
  async checkpoints(stream: string): Promise<readonly Checkpoint[]> {
    const found: Checkpoint[] = [];
    for await (const { key } of this.#objects.list(checkpointsPrefix(stream))) {
      found.push(parseCheckpoint((await this.#objects.read(key)) ?? ''));
    }
    return found;
  }
}
