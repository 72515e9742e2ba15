import type { AuditEntry, AuditRecord } from '../../domain/audit/record.ts';

/** Where audit entries go. */
export interface AuditWriter {
  /** Resolves once the entry is durable. Throws `AuditUnavailable`. */
  append(entry: AuditEntry): Promise<void>;
}

/** Where a process leaves its entries: durable in the log, or on this machine until the log is back. */
export interface AuditOutbox extends AuditWriter {
  /** Resolves once the entry is durable in the log. Throws `AuditUnavailable`: for what must not be done without. */
  append(entry: AuditEntry): Promise<void>;
  /** Resolves once the entry is durable, at least on this machine's disk. Throws `AuditUnavailable` where neither can be. */
  keep(entry: AuditEntry): Promise<void>;
}

/** Entries that wait on this machine for the log to come back; a crash does not lose them. */
export interface AuditSpool {
  /** Those that wait, oldest first. */
  readonly entries: readonly AuditEntry[];
  /** Resolves once it is on the disk. Throws `AuditUnavailable` where there is no room. */
  add(entry: AuditEntry): Promise<void>;
  /** Takes the first `count` away. */
  drop(count: number): Promise<void>;
}

/** Where audit records are read from. */
export interface AuditReader {
  /** Names of all streams. */
  streams(): Promise<readonly string[]>;
  /** A stream's records as stored, in order. Objects last written before `sinceMs` (epoch) may be left out. */
  records(stream: string, sinceMs?: number): AsyncIterable<AuditRecord>;
}

/** Reads a stream from a place in it. */
export interface AuditTail {
  /** A stream's records from the object on that holds `seq`. */
  recordsFrom(stream: string, seq: number): AsyncIterable<AuditRecord>;
}

/** The few calls that the log makes of an object store. All have a time-out. */
export interface AuditObjects {
  /** Writes only where the key is free; false where it is taken. */
  create(key: string, body: string): Promise<boolean>;
  replace(key: string, body: string): Promise<void>;
  read(key: string): Promise<string | undefined>;
  /** Does nothing where there is no such key. */
  remove(key: string): Promise<void>;
  /** What is under a prefix after a key, by ascending key. */
  list(prefix: string, after?: string): AsyncIterable<AuditObject>;
}

/** A stored object, as a list tells of it. */
export interface AuditObject {
  readonly key: string;
  /** Time of its last write, epoch milliseconds. */
  readonly writtenMs: number;
  /** Another with each content (ETag). */
  readonly version: string;
}
