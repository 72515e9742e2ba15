import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AuditEntry, AuditRecord } from '../../../domain/audit/record.ts';
import { Failure } from '../../../domain/failure.ts';
import { ActionAudit } from '../../../infra/audit/action-audit.ts';
import { auditedWorkflows, scheduleWitness } from '../../../infra/audit/audited-gateways.ts';
import { ChainedAuditLog } from '../../../infra/audit/chained-audit-log.ts';
import { LatestRequests } from '../../../infra/audit/latest-requests.ts';
import { noSpool, SpooledOutbox } from '../../../infra/audit/spooled-outbox.ts';
import { StoredAuditReader } from '../../../infra/audit/stored-audit-reader.ts';
import { createLifecycleSchedules } from '../../../infra/temporal/lifecycle-schedules.ts';
import { createWorkflowGateway } from '../../../infra/temporal/workflow-gateway.ts';
import type { WorkflowGateway } from '../../../infra/temporal/gateway.ts';
import { MemoryAuditObjects } from '../../support/memory-audit.ts';
import { ScheduleDouble } from '../../support/schedule-double.ts';

const ref = { namespace: 'shop', name: 'app' };
const own = { name: 'image-controller', uid: 'c' };

/** A reconciler's gateway over a Temporal that answers as told, and what the log then holds of both processes. */
function scene() {
  const objects = new MemoryAuditObjects();
  const reader = new StoredAuditReader(objects);
  const writer = (stream: string) => new ChainedAuditLog(objects, { stream, now: () => new Date() });
  let tick = 0;
  // a log that was away is asked again at once
  const outbox = new SpooledOutbox(writer('worker'), noSpool, () => (tick += 10_000));
  const troubles: unknown[] = [];
  const time = { now: Date.parse('2026-01-01T00:00:00Z') };
  const now = (): number => time.now;
  const temporal = {
    answer: async () => ({ workflowId: 'sync/shop/app', runId: 'r1', alreadyRunning: false }),
  };
  const gateway: Partial<WorkflowGateway> = {
    startSync: () => temporal.answer(),
    cancelSync: async () => true,
  };
  const requesters = new LatestRequests({ reader, own: own.name, now });
  const onTrouble = (error: unknown): void => void troubles.push(error);
  const audit = new ActionAudit({ outbox, requesters, actor: own, source: 'node', now, onTrouble });
  const ask = (name: string, verb: string, more: Partial<AuditEntry> = {}): Promise<void> =>
    writer('api').append({
      id: `${name} ${verb}`,
      stage: 'Requested',
      time: new Date(time.now).toISOString(),
      verb,
      actor: { name, uid: name },
      source: 'kubernetes',
      object: { resource: 'repositories', ...ref },
      ...more,
    });
  const told = async (): Promise<AuditRecord[]> => {
    const found: AuditRecord[] = [];
    for await (const record of reader.records('worker')) found.push(record);
    return found;
  };
  const workflows = auditedWorkflows(gateway as WorkflowGateway, audit);
  return { objects, time, temporal, workflows, audit, troubles, ask, told };
}

test('a sync that the reconciler starts is written before, and after with its run, under the name of who asked', async () => {
  const { workflows, ask, told } = scene();
  await ask('alice', 'sync');
  await workflows.startSync(ref, 'manual', 'once');
  const [intent, outcome, ...more] = await told();
  assert.equal(more.length, 0);
  assert.deepEqual([intent?.stage, intent?.verb, intent?.trigger], ['Requested', 'start-sync', 'manual']);
  assert.deepEqual([intent?.actor, intent?.onBehalfOf], [own, 'alice']);
  assert.deepEqual(intent?.object, { resource: 'repositories', ...ref });
  assert.deepEqual([outcome?.stage, outcome?.id, outcome?.onBehalfOf], ['Completed', intent?.id, 'alice']);
  assert.deepEqual(outcome?.workflow, { id: 'sync/shop/app', runId: 'r1' });
});

const reasons: readonly (readonly [string, string, string, boolean])[] = [
  ['create', 'alice', 'create', true],
  ['create', 'alice', 'update', false],
  ['spec', 'alice', 'update', true],
  ['spec', 'alice', 'patch', true],
  ['urgent', 'alice', 'sync', true],
  ['site', 'alice', 'update', false],
  ['create', own.name, 'create', false],
];
for (const [trigger, who, verb, isTold] of reasons) {
  test(`a ${verb} by ${who} ${isTold ? 'is' : 'is not'} why a sync starts by ${trigger}`, async () => {
    const { workflows, ask, told } = scene();
    await ask(who, verb);
    await workflows.startSync(ref, trigger as 'create');
    assert.equal((await told())[0]?.onBehalfOf, isTold ? who : undefined);
  });
}

test('who asked is the last one, of this object, within five minutes, and whoever a process acted for', async () => {
  const { workflows, ask, told, time } = scene();
  await ask('old', 'sync');
  time.now += 400_000;
  await workflows.startSync(ref, 'manual', 'a');
  await ask('alice', 'sync');
  await ask('bob', 'sync');
  await ask('eve', 'sync', { object: { resource: 'repositories', namespace: 'shop', name: 'other' } });
  await workflows.startSync(ref, 'manual', 'b');
  await ask(own.name, 'sync', { onBehalfOf: 'carol' });
  await workflows.startSync(ref, 'manual', 'c');
  const intents = (await told()).filter(({ stage }) => stage === 'Requested');
  assert.deepEqual(
    intents.map(({ onBehalfOf }) => onBehalfOf),
    [undefined, 'bob', 'carol'],
  );
});

test('asking again until it is heard is one action, and each run that comes of it one outcome', async () => {
  const { workflows, temporal, told } = scene();
  for (let times = 0; times < 5; times += 1) await workflows.startSync(ref, 'create');
  temporal.answer = async () => ({ workflowId: 'sync/shop/app', runId: 'r2', alreadyRunning: false });
  await workflows.startSync(ref, 'create');
  assert.deepEqual(
    (await told()).map(({ stage, workflow }) => [stage, workflow?.runId]),
    [
      ['Requested', undefined],
      ['Completed', 'r1'],
      ['Completed', 'r2'],
    ],
  );
});

test('each stop is an action of its own, and says whether a person or a deletion asked for it', async () => {
  const { workflows, ask, told } = scene();
  await ask('alice', 'cancel-sync');
  await workflows.cancelSync(ref);
  await ask('bob', 'cancel-sync');
  await workflows.cancelSync(ref);
  await ask('carol', 'delete');
  await workflows.cancelSync(ref, 'r1');
  assert.deepEqual(
    (await told()).map(({ stage, verb, trigger, onBehalfOf }) => [stage, verb, trigger, onBehalfOf]),
    [
      ['manual', 'alice'],
      ['manual', 'bob'],
      ['delete', 'carol'],
    ].flatMap((cause) => [
      ['Requested', 'stop-sync', ...cause],
      ['Completed', 'stop-sync', ...cause],
    ]),
  );
});

test('while Temporal is away one intent stays open, however often it is tried; a refusal closes it', async () => {
  const { workflows, temporal, told } = scene();
  const answer = temporal.answer;
  temporal.answer = () => Promise.reject(new Failure('EngineUnavailable', { side: 'cluster' }));
  for (let times = 0; times < 20; times += 1)
    await assert.rejects(workflows.startSync(ref, 'create'), { code: 'EngineUnavailable' });
  assert.deepEqual(
    (await told()).map(({ stage }) => stage),
    ['Requested'],
  );
  temporal.answer = answer;
  await workflows.startSync(ref, 'create');
  temporal.answer = () => Promise.reject(new Failure('Conflict', { side: 'caller' }));
  await assert.rejects(workflows.startSync(ref, 'manual', 'x'), { code: 'Conflict' });
  const records = await told();
  assert.deepEqual(
    records.map(({ stage }) => stage),
    ['Requested', 'Completed', 'Requested', 'Failed'],
  );
  assert.deepEqual(records.at(-1)?.outcome, { code: 409, reason: 'Conflict' });
});

test('Q05: what cannot be written down before is not done; an outcome that cannot be is told and not lost sight of', async () => {
  const { workflows, temporal, objects, troubles, told } = scene();
  const { answer } = temporal;
  let starts = 0;
  temporal.answer = () => ((starts += 1), answer());
  objects.down = true;
  await assert.rejects(workflows.startSync(ref, 'create'), { code: 'AuditUnavailable' });
  assert.equal(starts, 0);
  objects.down = false;
  temporal.answer = async () => {
    objects.down = true;
    return answer();
  };
  await workflows.startSync(ref, 'create');
  assert.equal(troubles.length, 1);
  objects.down = false;
  temporal.answer = answer;
  await workflows.startSync(ref, 'create');
  assert.deepEqual(
    (await told()).map(({ stage }) => stage),
    ['Requested', 'Completed'],
  );
});

test('a schedule is written down where it is made, changed or ended, and not where it is as wanted', async () => {
  const { audit, ask, told, time } = scene();
  const temporal = new ScheduleDouble();
  const schedules = createLifecycleSchedules(temporal.client, scheduleWitness(audit));
  const policy = { resource: 'imagecleanuppolicies', ...ref };
  await ask('alice', 'create', { object: policy });
  await schedules.ensureCleanup(ref, '0 3 * * *');
  time.now += 1000;
  await ask('bob', 'update', { object: policy });
  for (let look = 0; look < 3; look += 1) await schedules.ensureCleanup(ref, '0 4 * * *');
  time.now += 1000;
  await ask('carol', 'delete', { object: policy });
  for (let look = 0; look < 3; look += 1) await schedules.deleteCleanup(ref);
  assert.deepEqual(temporal.changes, ['create', 'update', 'delete']);
  assert.deepEqual(
    (await told()).map(({ stage, verb, onBehalfOf, object }) => [stage, verb, onBehalfOf, object.resource]),
    [
      ['set-schedule', 'alice'],
      ['set-schedule', 'bob'],
      ['delete-schedule', 'carol'],
    ].flatMap(([verb, who]) =>
      ['Requested', 'Completed'].map((stage) => [stage, verb, who, 'imagecleanuppolicies']),
    ),
  );
});

test('the schedule that comes with a Repository is nobody’s wish in particular; a changed one is', async () => {
  const { audit, ask, told } = scene();
  const temporal = new ScheduleDouble();
  const gateway = createWorkflowGateway(temporal.client, scheduleWitness(audit));
  await ask('alice', 'update');
  for (const everyMs of [60_000, 3_600_000]) await gateway.ensureSchedule(ref, { everyMs, paused: false });
  await gateway.deleteSchedule(ref);
  assert.deepEqual(temporal.changes, ['create', 'update', 'delete']);
  const asked = (await told()).flatMap(({ stage, verb, onBehalfOf }) =>
    stage === 'Requested' ? [[verb, onBehalfOf]] : [],
  );
  assert.deepEqual(asked[0], ['set-schedule', undefined]);
  assert.deepEqual(asked.slice(-2), [
    ['set-schedule', 'alice'],
    ['delete-schedule', 'alice'],
  ]);
});

test('Q05: a schedule whose change cannot be written down before stays as it is', async () => {
  const { audit, objects } = scene();
  const temporal = new ScheduleDouble();
  const schedules = createLifecycleSchedules(temporal.client, scheduleWitness(audit));
  await schedules.ensureCleanup(ref, '0 3 * * *');
  objects.down = true;
  await assert.rejects(schedules.deleteCleanup(ref), { code: 'AuditUnavailable' });
  assert.deepEqual(temporal.changes, ['create']);
});

test('a log that does not answer in time names nobody, and a sync waits for it no longer', async () => {
  const silent = new StoredAuditReader(new MemoryAuditObjects());
  silent.streams = () => new Promise<never>(() => {});
  const requesters = new LatestRequests({ reader: silent, own: own.name, patienceMs: 20 });
  assert.equal(await requesters.whoAsked({ resource: 'repositories', ...ref }, ['sync']), undefined);
});
