import assert from 'node:assert/strict';
import { test } from 'node:test';
import { foldActions } from '../../../domain/audit/fold-actions.ts';
import type { AuditRecord, AuditStage } from '../../../domain/audit/record.ts';

const record = (id: string, stage: AuditStage, second: number, seq = second): AuditRecord => ({
  id,
  stage,
  time: `2026-01-01T00:00:${String(second).padStart(2, '0')}.000Z`,
  seq,
  stream: 'api',
  verb: 'sync',
  actor: { name: 'admin', uid: 'u' },
  source: '127.0.0.1',
  object: { resource: 'repositories' },
  prev: '',
  hash: '',
});

const told = (records: readonly AuditRecord[]) =>
  foldActions(records).map(({ id, stage, earlier = [] }) =>
    [id, stage].concat(earlier.map((one) => one.stage)),
  );

test('an outcome stands for its action, with what was written before it, in whatever order it comes', () => {
  const records = [record('a', 'Completed', 9), record('b', 'Requested', 2), record('a', 'Requested', 1)];
  records.push(record('a', 'Started', 3), record('b', 'Failed', 4));
  assert.deepEqual(told(records), [
    ['a', 'Completed', 'Requested', 'Started'],
    ['b', 'Failed', 'Requested'],
  ]);
});

test('an action without an outcome is where it is, and one record alone is itself', () => {
  assert.deepEqual(told([record('a', 'Started', 2), record('a', 'Requested', 1), record('b', 'Denied', 3)]), [
    ['a', 'Started', 'Requested'],
    ['b', 'Denied'],
  ]);
});

test('records of one moment are told apart by their number', () => {
  const [intent, outcome] = [record('a', 'Requested', 1, 1), record('a', 'Completed', 1, 2)];
  assert.deepEqual(told([outcome, intent]), [['a', 'Completed', 'Requested']]);
});
