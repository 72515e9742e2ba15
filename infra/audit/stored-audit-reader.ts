import type { Checkpoint } from '../../domain/audit/checkpoint.ts';
import type { AuditRecord } from '../../domain/audit/record.ts';
import { inParallel } from '../copy/in-parallel.ts';
import { checkpointsPrefix, recordsKey, recordsPrefix, sequenceOf, startsPrefix } from './audit-keys.ts';
import type { AuditObject, AuditObjects, AuditReader, AuditTail } from './audit-log.ts';
import { maximumBatch } from './chained-audit-log.ts';
import { parseCheckpoint, parseRecords } from './parse-record.ts';
import type { RecordMemory } from './record-memory.ts';

/** Objects read at once: one alone costs a round trip, and a day has thousands. */
const readAhead = 16;
/** How far the store's clock and ours may be apart, in milliseconds. */
const clockSkewMs = 300_000;

/** Reads what a chained audit log wrote, a few objects ahead. */
export class StoredAuditReader implements AuditReader, AuditTail {
  readonly #objects: AuditObjects;
  readonly #memory: RecordMemory | undefined;

  /** `memory`: what was read before. Default: everything is read each time, as a verifier must. */
  constructor(objects: AuditObjects, memory?: RecordMemory) {
    this.#objects = objects;
    this.#memory = memory;
  }

  streams(): Promise<readonly string[]> {
    return this.#namesBelow(recordsPrefix);
  }

  /** Names of the streams that have checkpoints: one whose records are all gone is among them. */
  checkpointedStreams(): Promise<readonly string[]> {
    return this.#namesBelow(checkpointsPrefix);
  }

  async #namesBelow(prefix: (stream?: string) => string): Promise<readonly string[]> {
    const names = new Set<string>();
    for (;;) {
      // One key a stream: a list that starts after all keys of those that are known finds the next one.
      const known = [...names].at(-1);
      const after = known === undefined ? undefined : `${prefix(known)}~`;
      const next = await this.#objects.list(prefix(), after)[Symbol.asyncIterator]().next();
      const name = next.done === true ? undefined : next.value.key.slice(prefix().length).split('/')[0];
      if (name === undefined || name === '' || names.has(name)) return [...names];
      names.add(name);
    }
  }

  async *records(stream: string, sinceMs = Number.NEGATIVE_INFINITY): AsyncIterable<AuditRecord> {
    const ahead: Promise<readonly AuditRecord[]>[] = [];
    for await (const object of this.#objects.list(recordsPrefix(stream))) {
      if (object.writtenMs < sinceMs - clockSkewMs) continue;
      const read = this.#recordsOf(object);
      // a reader that stops early never looks at what was read ahead
      read.catch(() => undefined);
      ahead.push(read);
      const next = ahead.length > readAhead ? ahead.shift() : undefined;
      if (next !== undefined) yield* await next;
    }
    for (const read of ahead) yield* await read;
  }

  async *recordsFrom(stream: string, seq: number): AsyncIterable<AuditRecord> {
    // An object is named by its first record, so the one that holds `seq` may be named by an earlier one.
    const from = recordsKey(stream, Math.max(0, seq - maximumBatch));
    let holder: string | undefined;
    for await (const { key } of this.#objects.list(recordsPrefix(stream), from)) {
      const before = holder;
      holder = key;
      if (before !== undefined && sequenceOf(key) > seq) yield* await this.#recordsIn(before);
    }
    if (holder !== undefined) yield* await this.#recordsIn(holder);
  }

  async #recordsOf({ key, version }: AuditObject): Promise<readonly AuditRecord[]> {
    const known = this.#memory?.find(key, version);
    if (known !== undefined) return known;
    const records = await this.#recordsIn(key);
    this.#memory?.keep(key, version, records);
    return records;
  }

  async #recordsIn(key: string): Promise<readonly AuditRecord[]> {
    return parseRecords((await this.#objects.read(key)) ?? '');
  }

  /** All checkpoints of a stream, in order. */
  checkpoints(stream: string): Promise<readonly Checkpoint[]> {
    return this.#statements(checkpointsPrefix(stream));
  }

  /** The signed statements that a stream starts later than at its first record, in order. */
  starts(stream: string): Promise<readonly Checkpoint[]> {
    return this.#statements(startsPrefix(stream));
  }

  async #statements(prefix: string): Promise<readonly Checkpoint[]> {
    const keys: string[] = [];
    for await (const { key } of this.#objects.list(prefix)) keys.push(key);
    const found: Checkpoint[] = [];
    const indexed = keys.map((key, index) => ({ key, index }));
    const read = async ({ key, index }: (typeof indexed)[number]): Promise<void> => {
      found[index] = parseCheckpoint((await this.#objects.read(key)) ?? '');
    };
    await inParallel(indexed, read, readAhead);
    return found;
  }
}
