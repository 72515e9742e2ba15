import type { CheckpointSigner } from './chained-audit-log.ts';
import { ChainedAuditLog } from './chained-audit-log.ts';
import type { AuditObjects, AuditOutbox } from './audit-log.ts';
import { FileSpool } from './file-spool.ts';
import { IntentCloser, type IntentCloserOptions } from './intent-closer.ts';
import { RecordMemory } from './record-memory.ts';
import { pruneStream } from './retention.ts';
import { noSpool, SpooledOutbox } from './spooled-outbox.ts';
import { StoredAuditReader } from './stored-audit-reader.ts';

/** How a process keeps its stream. */
export interface AuditOptions {
  readonly stream: string;
  readonly objects: AuditObjects;
  /** Where checkpoints are kept a second time, out of reach of whoever can write the log. Default: nowhere. */
  readonly checkpoints?: AuditObjects;
  /** Default: checkpoints are not signed, and nothing is ever given up. */
  readonly signer?: CheckpointSigner;
  /** Folder for entries that wait for the log to come back. Default: none; what cannot be written is refused. */
  readonly spoolFolder?: string;
  /** Days that records are kept. Default: for ever. */
  readonly retentionDays?: number;
  readonly isOver?: NonNullable<IntentCloserOptions['isOver']>;
  /** Told of what went wrong beside the calls. */
  readonly onTrouble: (error: unknown, what: string) => void;
}

/** A process's own stream, with everything that keeps it in order. */
export interface OpenAudit {
  readonly outbox: AuditOutbox;
  readonly reader: StoredAuditReader;
  /** Writes what waits, signs what is not signed; resolves when that is done or found impossible. */
  stop(): Promise<void>;
}

/** Milliseconds between looks whether a checkpoint is due, anything waits, or an intent was left open. */
const lookMs = 15_000;
/** Looks between two searches for records that are old enough to be given up. */
const looksPerPrune = 240;

/** Opens a stream, takes over what a crash left, and looks after it until it is stopped. */
export async function openAudit(options: AuditOptions): Promise<OpenAudit> {
  const { stream, objects, signer, onTrouble, isOver, checkpoints } = options;
  const now = (): Date => new Date();
  const reader = new StoredAuditReader(objects, new RecordMemory());
  const log = new ChainedAuditLog(objects, {
    stream,
    now,
    ...(signer === undefined ? {} : { signer }),
    ...(checkpoints === undefined ? {} : { checkpoints }),
  });
  const folder = options.spoolFolder;
  const spool = folder === undefined ? noSpool : await FileSpool.open(folder, stream);
  const outbox = new SpooledOutbox(log, spool);
  const closer = new IntentCloser({
    stream,
    objects,
    reader,
    writer: outbox,
    now,
    ...(isOver === undefined ? {} : { isOver }),
  });
  const settled = outbox.settle(reader, stream).catch((error: unknown) => onTrouble(error, 'spool'));
  let looks = 0;
  const look = async (): Promise<void> => {
    await settled;
    await outbox.flush();
    await log.checkpoint();
    await closer.pass();
    if (signer === undefined || options.retentionDays === undefined) return;
    if (looks++ % looksPerPrune === 0)
      await pruneStream({ stream, objects, signer, days: options.retentionDays, now: now() });
  };
  let running: Promise<void> = Promise.resolve();
  const tick = (): void => {
    running = running.then(look).catch((error: unknown) => onTrouble(error, 'audit'));
  };
  tick();
  const timer = setInterval(tick, lookMs);
  return {
    outbox,
    reader,
    stop: async () => {
      clearInterval(timer);
      await running;
      await outbox.flush().catch((error: unknown) => onTrouble(error, 'spool'));
      await log.checkpoint(true);
    },
  };
}
