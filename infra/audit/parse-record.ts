import { canonicalJson } from '../../domain/audit/canonical-json.ts';
import { Failure } from '../../domain/failure.ts';
import type { AuditEntry, AuditRecord } from '../../domain/audit/record.ts';
import type { Checkpoint } from '../../domain/audit/checkpoint.ts';
import type { ChainHead } from '../../domain/audit/chain.ts';

/**
 * Reads the lines of a stored object. Only what the chain needs is checked here; every other field is protected by the
 * hash, which covers fields that this version does not know, too. A line that is no record becomes one that cannot
 * verify, so that a damaged object is reported at its place instead of hiding what follows.
 */
export function parseRecords(text: string): readonly AuditRecord[] {
  const lines = text.split('\n');
  // What is after the last line end is empty, or it is one more line, which is no record.
  if (lines.at(-1) === '') lines.pop();
  else lines[lines.length - 1] = '';
  // Two texts of one value would let a byte change unseen, so a stored line is exactly what `printRecord` writes.
  return lines.map((line) => {
    const value = parseObject(line);
    const shaped = typeof value?.['seq'] === 'number' && typeof value['stream'] === 'string';
    return (shaped && printsAs(value, line) ? value : damaged) as unknown as AuditRecord;
  });
}

const damaged = { stream: '', seq: -1, prev: '', hash: '' };

/** False too for a value that cannot be printed at all. */
function printsAs(value: object, line: string): boolean {
  try {
    return canonicalJson(value) === line;
  } catch {
    return false;
  }
}

/** One line of a stored object. */
export const printRecord = (record: AuditRecord): string => `${canonicalJson(record)}\n`;

/** Reads a checkpoint. Throws `AuditUnavailable` where it is none. */
export function parseCheckpoint(text: string): Checkpoint {
  const { stream, seq, hash, time, keyId, signature } = parseObject(text) ?? {};
  if (typeof stream !== 'string' || typeof seq !== 'number' || typeof hash !== 'string') return refuse();
  if (typeof time !== 'string' || typeof keyId !== 'string' || typeof signature !== 'string') return refuse();
  return { stream, seq, hash, time, keyId, signature };
}

/** Reads a head hint; undefined where it is none, as it only saves time. */
export function parseHead(text: string): ChainHead | undefined {
  const { stream, seq, hash } = parseObject(text) ?? {};
  return typeof stream === 'string' && typeof seq === 'number' && typeof hash === 'string'
    ? { stream, seq, hash }
    : undefined;
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function refuse(): never {
  throw new Failure('AuditUnavailable', { side: 'storage', detail: 'a checkpoint is malformed' });
}

/** Reads the entries of a spool. A last line that a crash cut off was never promised to anybody and is left out. */
export function parseEntries(text: string): readonly AuditEntry[] {
  return text.split('\n').flatMap((line) => {
    const value = parseObject(line);
    return typeof value?.['id'] === 'string' && typeof value['stage'] === 'string'
      ? [value as unknown as AuditEntry]
      : [];
  });
}
