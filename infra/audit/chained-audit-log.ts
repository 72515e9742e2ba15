import { createHash } from 'node:crypto';
import { chainEntry, emptyHead, headAfter, type ChainHead } from '../../domain/audit/chain.ts';
import { checkpointDue, checkpointPayload } from '../../domain/audit/checkpoint.ts';
import type { AuditEntry, AuditRecord } from '../../domain/audit/record.ts';
import { asFailure, Failure } from '../../domain/failure.ts';
import { checkpointKey, headKey, recordsKey, recordsPrefix, sequenceOf } from './audit-keys.ts';
import type { AuditObjects, AuditWriter } from './audit-log.ts';
import { parseHead, parseRecords, printRecord } from './parse-record.ts';

/** SHA-256 of a text, in hex. */
export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Signs checkpoints. */
export interface CheckpointSigner {
  readonly keyId: string;
  /** Ed25519 signature of a text, in base64. */
  sign(text: string): string;
}

interface Waiting {
  readonly entry: AuditEntry;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Entries that may wait for the store at once; beyond it callers are refused instead of memory growing. */
const maximumWaiting = 5_000;
/** Records in one object. */
export const maximumBatch = 200;
/** Tries against other writers of the same stream before giving up. */
const maximumRaces = 50;

/**
 * Writes one stream as a hash chain. Entries that come while an object is being written share the next one, so the store
 * is asked once for many. An object is created only where its key is free: of two writers one wins, and the other reads
 * what was written and goes after it, so a stream has no gap and no fork (fault Q08), across restarts too (Q11).
 */
export class ChainedAuditLog implements AuditWriter {
  readonly #objects: AuditObjects;
  readonly #stream: string;
  readonly #now: () => Date;
  readonly #signer: CheckpointSigner | undefined;
  readonly #elsewhere: AuditObjects | undefined;
  readonly #waiting: Waiting[] = [];
  #head: ChainHead | undefined;
  #checkpoint: { seq: number; timeMs: number };
  #writing = false;

  constructor(
    objects: AuditObjects,
    options: {
      readonly stream: string;
      readonly now: () => Date;
      /** Default: no checkpoints; the chain alone cannot show a cut-off end. */
      readonly signer?: CheckpointSigner;
      /** Where checkpoints are kept a second time. Default: nowhere. */
      readonly checkpoints?: AuditObjects;
    },
  ) {
    this.#objects = objects;
    this.#stream = options.stream;
    this.#now = options.now;
    this.#signer = options.signer;
    this.#elsewhere = options.checkpoints;
    this.#checkpoint = { seq: 0, timeMs: options.now().getTime() };
  }

  append(entry: AuditEntry): Promise<void> {
    if (this.#waiting.length >= maximumWaiting) {
      return Promise.reject(
        new Failure('AuditUnavailable', { side: 'storage', detail: 'too many entries wait' }),
      );
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push({ entry, resolve, reject });
    if (!this.#writing) void this.#writeAll();
    return promise;
  }

  async #writeAll(): Promise<void> {
    this.#writing = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, maximumBatch);
      try {
        await this.#write(batch.map(({ entry }) => entry));
        for (const { resolve } of batch) resolve();
      } catch (error) {
        this.#head = undefined;
        for (const { reject } of batch) reject(unavailable(error));
      }
    }
    this.#writing = false;
  }

  async #write(entries: readonly AuditEntry[]): Promise<void> {
    for (let race = 0; race < maximumRaces; race += 1) {
      const head = this.#head ?? (await this.#findHead());
      const records = chainAll(entries, head);
      const created = await this.#objects.create(
        recordsKey(this.#stream, head.seq + 1),
        records.map(printRecord).join(''),
      );
      if (created || (await this.#isOurs(records))) {
        this.#head = records.reduce((_, record) => headAfter(record), head);
        await this.checkpoint();
        return;
      }
      this.#head = undefined;
    }
    throw new Failure('AuditUnavailable', { side: 'storage', detail: 'other writers keep winning' });
  }

  /** A create that was answered "taken" may be our own, whose first answer got lost. */
  async #isOurs(records: readonly AuditRecord[]): Promise<boolean> {
    const stored = await this.#objects.read(recordsKey(this.#stream, records[0]?.seq ?? 0));
    return stored !== undefined && parseRecords(stored)[0]?.hash === records[0]?.hash;
  }

  /** From the hint, object after object, to the end. */
  async #findHead(): Promise<ChainHead> {
    const hint = parseHead((await this.#objects.read(headKey(this.#stream))) ?? '');
    const start = hint?.stream === this.#stream ? hint : emptyHead(this.#stream);
    let newest: string | undefined;
    for await (const { key } of this.#objects.list(
      recordsPrefix(this.#stream),
      recordsKey(this.#stream, start.seq),
    )) {
      if (sequenceOf(key) > start.seq) newest = key;
    }
    if (newest === undefined) return start;
    const last = parseRecords((await this.#objects.read(newest)) ?? '').at(-1);
    if (last === undefined || last.seq < 1) {
      throw new Failure('AuditUnavailable', { side: 'storage', detail: 'the last record is damaged' });
    }
    return headAfter(last);
  }

  /**
   * Signs how far the stream has come, where that is due; called after each write and, for quiet times, by a timer. One
   * that cannot be stored is tried again at the next call: the records themselves are durable already. `isLast`: whatever is
   * not signed yet is due, as nobody may write here for long. Default: false.
   */
  async checkpoint(isLast = false): Promise<void> {
    const head = this.#head;
    const now = this.#now();
    if (head === undefined || head.seq === this.#checkpoint.seq) return;
    if (!isLast && !checkpointDue(head, this.#checkpoint, now.getTime())) return;
    const before = this.#checkpoint;
    this.#checkpoint = { seq: head.seq, timeMs: now.getTime() };
    try {
      await this.#storeCheckpoint(head, now);
    } catch {
      this.#checkpoint = before;
    }
  }

  async #storeCheckpoint(head: ChainHead, now: Date): Promise<void> {
    await this.#objects.replace(headKey(this.#stream), JSON.stringify(head));
    if (this.#signer === undefined) return;
    const statement = { ...head, time: now.toISOString(), keyId: this.#signer.keyId };
    const signature = this.#signer.sign(checkpointPayload(statement));
    const [key, body] = [checkpointKey(this.#stream, head.seq), JSON.stringify({ ...statement, signature })];
    await this.#objects.create(key, body);
    await this.#elsewhere?.create(key, body);
  }
}

function chainAll(entries: readonly AuditEntry[], head: ChainHead): readonly AuditRecord[] {
  const records: AuditRecord[] = [];
  for (const entry of entries) {
    const last = records.at(-1);
    records.push(chainEntry(entry, last === undefined ? head : headAfter(last), sha256));
  }
  return records;
}

function unavailable(error: unknown): Failure {
  const failure = asFailure(error);
  return failure.code === 'AuditUnavailable'
    ? failure
    : new Failure('AuditUnavailable', { side: 'storage', cause: error });
}
