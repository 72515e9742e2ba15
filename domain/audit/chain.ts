import { canonicalJson } from './canonical-json.ts';
import { firstPrevious, type AuditEntry, type AuditRecord } from './record.ts';

/** SHA-256 of a text's UTF-8 bytes, in hex. Handed in, because this room computes nothing that needs a platform. */
export type Sha256 = (text: string) => string;

/** The end of a stream: where the next record goes. */
export interface ChainHead {
  readonly stream: string;
  /** Sequence of the last record; 0 before the first. */
  readonly seq: number;
  /** Hash of the last record. */
  readonly hash: string;
}

/** A stream's head before its first record. */
export const emptyHead = (stream: string): ChainHead => ({ stream, seq: 0, hash: firstPrevious });

/** The head after a record. */
export const headAfter = (record: AuditRecord): ChainHead => ({
  stream: record.stream,
  seq: record.seq,
  hash: record.hash,
});

/** Puts an entry after a head. */
export function chainEntry(entry: AuditEntry, head: ChainHead, sha256: Sha256): AuditRecord {
  const placed = { ...entry, stream: head.stream, seq: head.seq + 1, prev: head.hash };
  return { ...placed, hash: hashRecord(placed, sha256) };
}

/** The hash that a record should have: over all its fields but `hash`, whatever they are. */
export function hashRecord(record: object, sha256: Sha256): string {
  const rest = Object.entries(record).filter(([field]) => field !== 'hash');
  return sha256(canonicalJson(Object.fromEntries(rest)));
}
