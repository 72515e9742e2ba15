import { hashRecord, headAfter, type ChainHead, type Sha256 } from './chain.ts';
import type { Checkpoint, StatementKind } from './checkpoint.ts';
import { firstPrevious, type AuditRecord } from './record.ts';

/** What is wrong with a stream, and the first sequence that shows it. */
export interface AuditDefect {
  readonly seq: number;
  readonly problem:
    | 'changed'
    | 'gap'
    | 'out-of-order'
    | 'wrong-previous'
    | 'wrong-stream'
    | 'truncated'
    | 'checkpoint-mismatch'
    | 'checkpoint-forged'
    | 'start-forged';
}

/** The result of checking one stream. */
export interface AuditVerdict {
  readonly stream: string;
  readonly records: number;
  readonly head: ChainHead | undefined;
  /** Sequence after which it starts, as older records were given up; 0 where it starts at its first. */
  readonly start: number;
  /** Highest sequence that a genuine checkpoint vouches for; 0 without one. */
  readonly vouched: number;
  /** The first defect; undefined where the stream is whole. */
  readonly defect?: AuditDefect;
}

/** Whether a statement's signature is good for what it is used as. */
export type Genuine = (statement: Checkpoint, kind: StatementKind) => boolean;

/** Checks one stream, record after record, in constant memory but for the checkpoints. */
export class ChainVerifier {
  readonly #stream: string;
  readonly #sha256: Sha256;
  readonly #checkpoints: ReadonlyMap<number, Checkpoint>;
  readonly #start: number;
  #previous = firstPrevious;
  #seq = 0;
  #vouched = 0;
  #defect: AuditDefect | undefined;
  #head: ChainHead | undefined;

  /** `genuine` tells whether a statement's signature is good; forged ones are a defect of their own. */
  constructor(
    stream: string,
    statements: { readonly checkpoints: readonly Checkpoint[]; readonly starts: readonly Checkpoint[] },
    tools: { readonly sha256: Sha256; readonly genuine: Genuine },
  ) {
    this.#stream = stream;
    this.#sha256 = tools.sha256;
    const { checkpoints, starts } = statements;
    const isForged = (kind: StatementKind) => (one: Checkpoint) =>
      one.stream !== stream || !tools.genuine(one, kind);
    const forged = checkpoints.find(isForged('checkpoint'));
    const forgedStart = starts.find(isForged('start'));
    if (forged !== undefined) this.#defect = { seq: forged.seq, problem: 'checkpoint-forged' };
    if (forgedStart !== undefined) this.#defect = { seq: forgedStart.seq, problem: 'start-forged' };
    const start = starts.toSorted((a, b) => a.seq - b.seq).at(-1);
    this.#start = start?.seq ?? 0;
    this.#seq = this.#start;
    this.#previous = start?.hash ?? firstPrevious;
    const later = checkpoints.filter(({ seq }) => seq >= this.#start);
    this.#checkpoints = new Map(later.map((checkpoint) => [checkpoint.seq, checkpoint]));
    const same = this.#checkpoints.get(this.#start);
    if (this.#defect === undefined && same !== undefined && same.hash !== start?.hash)
      this.#defect = { seq: this.#start, problem: 'checkpoint-mismatch' };
    if (same !== undefined) this.#vouched = this.#start;
  }

  /** Takes the next record as it was stored. Nothing after the first defect is looked at. */
  take(record: AuditRecord): void {
    if (this.#defect !== undefined) return;
    // A crash between the statement and the deletion leaves records that are given up already.
    if (record.seq > 0 && record.seq <= this.#start) return;
    const problem = this.#problemOf(record);
    if (problem !== undefined) {
      this.#defect = { seq: this.#seq + 1, problem };
      return;
    }
    this.#seq = record.seq;
    this.#previous = record.hash;
    this.#head = headAfter(record);
  }

  /** The verdict after the last record. */
  finish(): AuditVerdict {
    const last = Math.max(0, ...this.#checkpoints.keys());
    if (this.#defect === undefined && last > this.#seq)
      this.#defect = { seq: this.#seq + 1, problem: 'truncated' };
    return {
      stream: this.#stream,
      records: this.#seq - this.#start,
      start: this.#start,
      head: this.#head,
      vouched: this.#vouched,
      ...(this.#defect === undefined ? {} : { defect: this.#defect }),
    };
  }

  #problemOf(record: AuditRecord): AuditDefect['problem'] | undefined {
    if (record.stream !== this.#stream) return 'wrong-stream';
    if (record.seq > this.#seq + 1) return 'gap';
    if (record.seq !== this.#seq + 1) return 'out-of-order';
    if (record.hash !== this.#hashOf(record)) return 'changed';
    if (record.prev !== this.#previous) return 'wrong-previous';
    const checkpoint = this.#checkpoints.get(record.seq);
    if (checkpoint !== undefined && checkpoint.hash !== record.hash) return 'checkpoint-mismatch';
    if (checkpoint !== undefined) this.#vouched = record.seq;
    return undefined;
  }

  /** A record that cannot even be printed again was changed. */
  #hashOf(record: AuditRecord): string {
    try {
      return hashRecord(record, this.#sha256);
    } catch {
      return '';
    }
  }
}
