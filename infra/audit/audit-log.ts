import type { AuditEntry, AuditRecord } from '../../domain/audit/record.ts';

/** Where audit entries go. */
export interface AuditWriter {
  /** Resolves once the entry is durable. Throws `AuditUnavailable`. */
  append(entry: AuditEntry): Promise<void>;
}

/** Where audit records are read from. */
export interface AuditReader {
  /** Names of all streams. */
  streams(): Promise<readonly string[]>;
  /** A stream's records as stored, in order. Objects last written before `sinceMs` (epoch) may be left out. */
  records(stream: string, sinceMs?: number): AsyncIterable<AuditRecord>;
}

/** The few calls that the log makes of an object store. All have a time-out. */
export interface AuditObjects {
  /** Writes only where the key is free; false where it is taken. */
  create(key: string, body: string): Promise<boolean>;
  replace(key: string, body: string): Promise<void>;
  read(key: string): Promise<string | undefined>;
  /** Keys under a prefix after a key, ascending, with the time of their last write in epoch milliseconds. */
  list(prefix: string, after?: string): AsyncIterable<{ readonly key: string; readonly writtenMs: number }>;
}
