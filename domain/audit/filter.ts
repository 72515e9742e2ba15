import type { AuditRecord } from './record.ts';

/** What part of the log is wanted; a part left out lets everything through. */
export interface AuditFilter {
  /** RFC 3339; inclusive. */
  readonly since?: string;
  /** RFC 3339; exclusive. */
  readonly until?: string;
  readonly user?: string;
  readonly verb?: string;
  readonly resource?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly stage?: string;
  /** Whose records: each process that keeps the log has a stream of its own. */
  readonly stream?: string;
  /** The id of a call: its intent and its outcome. */
  readonly id?: string;
  /** A workflow's id, or the id of one of its runs. */
  readonly workflow?: string;
}

/** Whether a record is wanted. */
export function matchesFilter(record: AuditRecord, filter: AuditFilter): boolean {
  const time = Date.parse(record.time);
  if (filter.since !== undefined && time < Date.parse(filter.since)) return false;
  if (filter.until !== undefined && time >= Date.parse(filter.until)) return false;
  const pairs: readonly (readonly [string | undefined, string | undefined])[] = [
    [filter.user, record.actor.name],
    [filter.verb, record.verb],
    [filter.resource, record.object.resource],
    [filter.namespace, record.object.namespace],
    [filter.name, record.object.name],
    [filter.stage, record.stage],
    [filter.stream, record.stream],
    [filter.id, record.id],
  ];
  const { workflow } = record;
  if (filter.workflow !== undefined && ![workflow?.id, workflow?.runId].includes(filter.workflow))
    return false;
  return pairs.every(([wanted, found]) => wanted === undefined || wanted === found);
}
