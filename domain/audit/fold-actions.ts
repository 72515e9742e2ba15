import type { AuditRecord } from './record.ts';

/** The newest that is known of an action, and what was written of it before, oldest first. */
export interface AuditAction extends AuditRecord {
  readonly earlier?: readonly AuditRecord[];
}

/**
 * Puts the records of each action together: its outcome stands for it, or what it is at where it has none yet. Those of
 * one action have one id.
 */
export function foldActions(records: readonly AuditRecord[]): readonly AuditAction[] {
  return [...Map.groupBy(records, ({ id }) => id).values()].flatMap(oneAction);
}

function oneAction(records: readonly AuditRecord[]): readonly AuditAction[] {
  const inOrder = records.toSorted((a, b) => Date.parse(a.time) - Date.parse(b.time) || a.seq - b.seq);
  const head =
    inOrder.findLast(({ stage }) => stage !== 'Requested' && stage !== 'Started') ?? inOrder.at(-1);
  if (head === undefined) return [];
  const earlier = inOrder.filter((record) => record !== head);
  return [earlier.length === 0 ? head : { ...head, earlier }];
}
