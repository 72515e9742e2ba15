import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, before, test } from 'node:test';
import type { Client } from '@temporalio/client';
import { cleanupScheduleId } from '../../../domain/lifecycle/ids.ts';
import { stageScheduleId } from '../../../domain/bundle/stage-plan.ts';
import { resyncScheduleId } from '../../../domain/sync/ids.ts';
import { createBundleSchedules } from '../../../infra/temporal/bundle-schedules.ts';
import { connectTemporal } from '../../../infra/temporal/connection.ts';
import { sharedDataConverter } from '../../../infra/temporal/data-converter.ts';
import { createLifecycleSchedules } from '../../../infra/temporal/lifecycle-schedules.ts';
import { createScheduleSeals, type OtherwiseSealed } from '../../../infra/temporal/schedule-seals.ts';
import { createWorkflowGateway } from '../../../infra/temporal/workflow-gateway.ts';
import { keysOf } from '../../support/canary/seals.ts';
import { temporalServer, type TemporalServer } from '../../support/temporal-server.ts';

const key = (id: string): string => `${id}:${randomBytes(32).toString('base64')}`;
const [one, two, three] = [key('one'), key('two'), key('three')];
let server: TemporalServer;
const clients: Client[] = [];
let probe: Client;

before(async () => {
  server = await temporalServer();
  probe = processWith(one).client;
});
after(async () => {
  await Promise.all(clients.map(({ connection }) => connection.close()));
  await server.stop();
});

/** A process with these keys, and what it does with Schedules. */
function processWith(keys?: string) {
  const dataConverter = sharedDataConverter(keys);
  const client = connectTemporal({ address: server.address, namespace: 'default', dataConverter });
  clients.push(client);
  return {
    client,
    ...createWorkflowGateway(client),
    ...createLifecycleSchedules(client),
    ...createBundleSchedules(client),
    seals: createScheduleSeals(client),
  };
}

const hour = 3_600_000;
const refOf = (name: string) => ({ namespace: 'shop', name });
const idOf = (name: string): string => resyncScheduleId(refOf(name));

const rawOf = (scheduleId: string) =>
  probe.workflowService.describeSchedule({ namespace: 'default', scheduleId });

/** Temporal takes changes of Schedules a moment after it has answered, and lists them another moment later. */
async function until<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  for (let tries = 0; tries < 200; tries += 1) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await sleep(50);
  }
  throw new Error(`waited in vain for ${what}`);
}

const sealedWith = (scheduleId: string, seal: string) =>
  until(`${scheduleId} sealed with ${seal}`, async () => {
    const raw = await rawOf(scheduleId);
    return keysOf(raw.schedule).every((found) => found.startsWith(seal)) ? raw : undefined;
  });

/** The list once it says of these Schedules what is expected. */
const listed = (
  seals: { otherwise(): Promise<readonly OtherwiseSealed[]> },
  ids: readonly string[],
  expected: readonly unknown[],
) =>
  until(`a list of ${JSON.stringify(expected)}`, async () => {
    const found = new Map(
      (await seals.otherwise()).map(({ scheduleId, ...rest }) => [scheduleId, rest.key ?? 'none']),
    );
    return JSON.stringify(ids.map((id) => found.get(id))) === JSON.stringify(expected) ? true : undefined;
  });

test('after a rotation each kind of Schedule is listed with its old key, and once it is sealed anew no more', async () => {
  const [old, now] = [processWith(one), processWith(`${two},${one}`)];
  const ids = [idOf('kinds'), cleanupScheduleId(refOf('kinds')), stageScheduleId('kinds')];
  await old.ensureSchedule(refOf('kinds'), { everyMs: hour, paused: false });
  await old.ensureCleanup(refOf('kinds'), '0 3 * * *');
  await old.ensureStage('kinds', '0 4 * * *');
  await listed(old.seals, ids, [undefined, undefined, undefined]);
  await listed(now.seals, ids, ['one', 'one', 'one']);
  for (const id of ids) {
    await sealedWith(id, 'one');
    assert.equal(await now.seals.renew(id), true);
    await sealedWith(id, 'two');
    assert.equal(await now.seals.renew(id), false);
  }
  await listed(now.seals, ids, [undefined, undefined, undefined]);
  await listed(old.seals, ids, ['two', 'two', 'two']);
});

test('sealed anew, a Schedule keeps its times, its pause with its note, and what else somebody changed in Temporal', async () => {
  const [old, now] = [processWith(one), processWith(`${two},${one}`)];
  const id = idOf('kept');
  await old.ensureSchedule(refOf('kept'), { everyMs: hour, paused: false });
  const handle = old.client.schedule.getHandle(id);
  await handle.update((present) => ({
    ...present,
    action: { ...present.action, args: [refOf('kept')] },
    policies: { ...present.policies, catchupWindow: '7m', pauseOnFailure: true },
    state: { paused: false, note: 'by hand', remainingActions: 7 },
  }));
  await until('the change', async () =>
    (await handle.describe()).state.note === 'by hand' ? true : undefined,
  );
  await handle.pause('the registry moves');
  const before = await until('the pause', async () => {
    const raw = await rawOf(id);
    return raw.schedule?.state?.paused === true ? raw : undefined;
  });
  assert.equal(await now.seals.renew(id), true);
  const after_ = await sealedWith(id, 'two');
  assert.deepEqual(after_.schedule?.spec, before.schedule?.spec);
  assert.deepEqual(after_.schedule?.policies, before.schedule?.policies);
  assert.deepEqual(after_.schedule?.state, before.schedule?.state);
  assert.equal(after_.schedule?.state?.notes, 'the registry moves');
  const { input: _input, userMetadata: _summary, ...started } = after_.schedule?.action?.startWorkflow ?? {};
  const {
    input: _before,
    userMetadata: _first,
    ...startedBefore
  } = before.schedule?.action?.startWorkflow ?? {};
  assert.deepEqual(started, startedBefore);
  await handle.unpause();
  const next = async () => (await rawOf(id)).info?.futureActionTimes?.map(({ seconds }) => Number(seconds));
  const times = await until('its next runs', async () => ((await next())?.length === 7 ? next() : undefined));
  await processWith(`${three},${two}`).seals.renew(id);
  await sealedWith(id, 'three');
  assert.deepEqual(await next(), times);
});

test('what a Schedule starts once it was sealed anew is what it started before', async () => {
  const [old, now] = [processWith(one), processWith(`${two},${one}`)];
  const ids = [idOf('fires'), cleanupScheduleId(refOf('fires')), stageScheduleId('fires')];
  await old.ensureSchedule(refOf('fires'), { everyMs: hour, paused: false });
  await old.ensureCleanup(refOf('fires'), '0 3 * * *');
  await old.ensureStage('fires', '0 4 * * *');
  const started = async (id: string, process_: typeof now) => {
    await process_.client.schedule.getHandle(id).trigger('ALLOW_ALL');
    const run = await until('a run', async () => {
      const runs = process_.client.workflow.list({
        query: `WorkflowId STARTS_WITH '${id}-' AND ExecutionStatus = 'Running'`,
      });
      for await (const found of runs) return found;
      return undefined;
    });
    const handle = process_.client.workflow.getHandle(run.workflowId, run.runId);
    const first = (await handle.fetchHistory()).events?.[0];
    const summary = await (await handle.describe()).staticSummary();
    const { workflowType, taskQueue, input } = first?.workflowExecutionStartedEventAttributes ?? {};
    const opened = await process_.client.options.loadedDataConverter.payloadCodecs[0]?.decode([
      ...(input?.payloads ?? []),
    ]);
    await handle.terminate();
    return {
      seals: keysOf({ input, metadata: first?.userMetadata }),
      what: [
        workflowType?.name,
        taskQueue?.name,
        summary,
        opened?.map(({ data }) => Buffer.from(data ?? []).toString()),
      ],
    };
  };
  for (const id of ids) {
    const before = await started(id, old);
    await now.seals.renew(id);
    await sealedWith(id, 'two');
    const after_ = await started(id, now);
    assert.deepEqual(after_.what, before.what);
    assert.deepEqual([before.seals, after_.seals], [['one'], ['two']]);
  }
});

test('a Schedule from before the first key is sealed, and one whose keys were all taken away is opened again', async () => {
  const [clear, sealed] = [processWith(), processWith(one)];
  const id = idOf('first');
  await clear.ensureSchedule(refOf('first'), { everyMs: hour, paused: false });
  await listed(sealed.seals, [id], ['none']);
  await listed(clear.seals, [id], [undefined]);
  await sealed.seals.renew(id);
  await sealedWith(id, 'one');
  await listed(clear.seals, [id], ['one']);
  await clear.seals.renew(id);
  await sealedWith(id, 'clear');
  await listed(clear.seals, [id], [undefined]);
});

test('N18 a process that lacks the key of a Schedule changes, seals and deletes it all the same', async () => {
  const [old, now] = [processWith(one), processWith(two)];
  for (const { everyMs, renews } of [
    { everyMs: hour, renews: true },
    { everyMs: 2 * hour, renews: false },
  ]) {
    const name = `lost-${renews}`;
    await old.ensureSchedule(refOf(name), { everyMs: hour, paused: false });
    await old.client.schedule.getHandle(idOf(name)).pause('later');
    await until('the pause', async () =>
      (await rawOf(idOf(name))).schedule?.state?.paused === true ? true : undefined,
    );
    if (renews) assert.equal(await now.seals.renew(idOf(name)), true);
    else await now.ensureSchedule(refOf(name), { everyMs, paused: false });
    const raw = await sealedWith(idOf(name), 'two');
    assert.equal(raw.schedule?.state?.notes, 'later');
    await listed(now.seals, [idOf(name)], [undefined]);
  }
  await old.ensureCleanup(refOf('lost'), '0 3 * * *');
  await now.ensureCleanup(refOf('lost'), '0 4 * * *');
  await sealedWith(cleanupScheduleId(refOf('lost')), 'two');
  await old.ensureSchedule(refOf('ends'), { everyMs: hour, paused: false });
  await now.deleteSchedule(refOf('ends'));
  await assert.rejects(rawOf(idOf('ends')), { code: 5 });
});

test('a Schedule that is gone, or is none of ours, is left alone', async () => {
  const { client, seals } = processWith(two);
  assert.equal(await seals.renew(idOf('never')), false);
  for (const scheduleId of ['somebody', 'resync/somebody']) {
    await client.schedule.create({
      scheduleId,
      spec: { intervals: [{ every: hour }] },
      action: { type: 'startWorkflow', workflowType: 'theirs', taskQueue: 'theirs', args: [1] },
    });
    assert.equal(await seals.renew(scheduleId), false);
  }
  // One of ours that was made after them is listed: they would be, too.
  await processWith(one).ensureSchedule(refOf('after'), { everyMs: hour, paused: false });
  await listed(seals, [idOf('after'), 'somebody', 'resync/somebody'], ['one', undefined, undefined]);
});

test('a pause that somebody makes while a Schedule is sealed anew is not undone', async () => {
  const [old, { client, seals }] = [processWith(one), processWith(`${two},${one}`)];
  const id = idOf('raced');
  await old.ensureSchedule(refOf('raced'), { everyMs: hour, paused: false });
  const handle = client.schedule.getHandle(id);
  const isPaused = async () => ((await handle.describe()).state.paused ? true : undefined);
  const describe = async () => {
    const seen = await handle.describe();
    await handle.pause('just now');
    await until('the pause', isPaused);
    return seen;
  };
  const raced: Client = Object.create(client, { schedule: { value: { getHandle: () => ({ describe }) } } });
  await createScheduleSeals(raced).renew(id);
  // Temporal takes changes in the order in which they come: after this one the other was taken, or never will be.
  await old.client.schedule.getHandle(idOf('raced')).trigger('SKIP');
  await until('the trigger', async () =>
    (await handle.describe()).info.numActionsTaken > 0 ? true : undefined,
  );
  assert.equal((await handle.describe()).state.note, 'just now');
  assert.equal(await isPaused(), true);
  await seals.renew(id);
  await sealedWith(id, 'two');
  assert.equal(await isPaused(), true);
});
