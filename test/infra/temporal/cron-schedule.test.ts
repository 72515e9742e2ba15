import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLifecycleSchedules } from '../../../infra/temporal/lifecycle-schedules.ts';
import { cleanupScheduleId } from '../../../domain/lifecycle/ids.ts';
import { ScheduleDouble } from '../../support/schedule-double.ts';

const ref = { namespace: 'shop', name: 'weekly' };
const id = cleanupScheduleId(ref);

test('a cleanup that somebody paused in Temporal stays paused, and follows its policy again afterwards', async () => {
  const temporal = new ScheduleDouble();
  const schedules = createLifecycleSchedules(temporal.client);
  await schedules.ensureCleanup(ref, '0 3 * * *');
  temporal.operate(id, { paused: true, note: 'stop deleting, we look into it' });
  await schedules.ensureCleanup(ref, '0 3 * * *');
  await schedules.ensureCleanup(ref, '0 4 * * *');
  assert.deepEqual(temporal.stateOf(id), { paused: true, note: 'stop deleting, we look into it' });
  temporal.operate(id, { paused: false, note: 'go on' });
  await schedules.ensureCleanup(ref, '0 4 * * *');
  assert.deepEqual(temporal.stateOf(id), { note: '0 4 * * *' });
  assert.deepEqual(temporal.changes, ['create', 'update']);
});
