import { OpenIntents } from '../../domain/audit/open-intents.ts';
import type { AuditEntry, AuditRecord } from '../../domain/audit/record.ts';
import { settledKey } from './audit-keys.ts';
import type { AuditObjects, AuditTail, AuditWriter } from './audit-log.ts';
import { parseHead } from './parse-record.ts';

/** Intents younger than this may still be at work, in milliseconds; no call of the API lasts as long. */
const intentAgeMs = 120_000;

/** What the closer is handed. */
export interface IntentCloserOptions {
  readonly stream: string;
  readonly objects: AuditObjects;
  readonly reader: AuditTail;
  readonly writer: AuditWriter;
  readonly now: () => Date;
  /** Whether what was asked for has certainly ended, by an intent that is old enough. Default: yes. */
  readonly isOver?: (intent: AuditRecord) => Promise<boolean>;
}

/**
 * Closes what a crash left open (fault Q06): an intent whose outcome nobody can tell any more gets the outcome
 * `Unknown`, so that nobody takes it for something that still runs, nor for something that never was.
 */
export class IntentCloser {
  readonly #options: IntentCloserOptions;
  readonly #open = new OpenIntents();
  /** Last sequence that was looked at. */
  #seen: number | undefined;

  constructor(options: IntentCloserOptions) {
    this.#options = options;
  }

  /** Reads what is new and closes what has to be. Resolves with how many were closed. Throws `AuditUnavailable`. */
  async pass(): Promise<number> {
    const { reader, stream, writer, now, isOver } = this.#options;
    this.#seen ??= await this.#settled();
    for await (const record of reader.recordsFrom(stream, this.#seen + 1)) {
      if (record.seq <= this.#seen) continue;
      this.#open.take(record);
      this.#seen = record.seq;
    }
    let closed = 0;
    for (const intent of this.#open.before(now().getTime() - intentAgeMs)) {
      if (isOver !== undefined && !(await isOver(intent))) continue;
      await writer.append(unknownOutcome(intent, now()));
      closed += 1;
    }
    await this.#remember();
    return closed;
  }

  async #settled(): Promise<number> {
    const { objects, stream } = this.#options;
    return parseHead((await objects.read(settledKey(stream))) ?? '')?.seq ?? 0;
  }

  /** Where the next process begins: before the oldest that is open. */
  async #remember(): Promise<void> {
    const { objects, stream } = this.#options;
    const seq = (this.#open.oldest ?? (this.#seen ?? 0) + 1) - 1;
    if (seq > 0) await objects.replace(settledKey(stream), JSON.stringify({ stream, seq, hash: '' }));
  }
}

/** The intent once more, with the outcome that nobody knows. */
function unknownOutcome(intent: AuditRecord, now: Date): AuditEntry {
  const { stream: _, seq: __, prev: ___, hash: ____, step: _____, ...entry } = intent;
  return { ...entry, stage: 'Unknown', time: now.toISOString() };
}
