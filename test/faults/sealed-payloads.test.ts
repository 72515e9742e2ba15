import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import proto from '@temporalio/proto';
import { resyncScheduleId, syncWorkflowId } from '../../domain/sync/ids.ts';
import { demoRegistry } from '../../infra/local/demo/registry.ts';
import { endpointsFile, type Endpoints } from '../../infra/local/endpoints.ts';
import { quietProgress } from '../../infra/local/install/progress.ts';
import { prepareCluster } from '../../infra/local/product.ts';
import { startStack, type Stack } from '../../infra/local/stack.ts';
import { connectTemporal } from '../../infra/temporal/connection.ts';
import { sharedDataConverter } from '../../infra/temporal/data-converter.ts';
import { payloadsIn, type FoundPayload } from '../support/canary/payloads.ts';
import { isPatch, isSearchable, keysOf, textOf } from '../support/canary/seals.ts';
import { searchStack, secretsOfRun } from '../support/canary/search.ts';
import { liveSync, until } from '../support/live-sync.ts';
import { madeImage } from '../support/made-image.ts';
import { sealedProcesses, type Member, type SealedProcesses } from '../support/sealed-processes.ts';

const key = (id: string): string => `${id}:${randomBytes(32).toString('base64')}`;
const [one, two, three, four] = [key('one'), key('two'), key('three'), key('four')];
const options = { skip: process.env['IMAGEFERRY_SEALED'] === '1' ? false : 'IMAGEFERRY_SEALED is not 1' };
const parent = process.env['IMAGEFERRY_TEST_DIR'] ?? tmpdir();
const folder = mkdtempSync(join(parent, 'imageferry-sealed-'));
let stack: Stack;
let endpoints: Endpoints;
let processes: SealedProcesses;
let live: ReturnType<typeof liveSync>;
let secret = '';

const restart = (member: Member, keys: string): Promise<void> => processes.restart(member, keys);

/** Ends the API and the worker, and starts them with these keys, of which the first one seals. */
async function runWith(keys: string): Promise<void> {
  await Promise.all([restart('worker', keys), restart('api', keys)]);
}

before(async () => {
  if (options.skip !== false) return;
  const { KUBECONFIG: _k, TEMPORAL_ADDRESS: _t, S3_ENDPOINT: _s, ...env } = process.env;
  stack = await startStack({ folder, randomPorts: true, progress: quietProgress, env });
  endpoints = await prepareCluster(stack, () => undefined);
  process.env['IMAGEFERRY_ENDPOINTS'] = endpointsFile(folder);
  processes = await sealedProcesses(folder, stack);
  await runWith(one);
  live = liveSync();
  secret = await live.secret(endpoints.registries.upstream);
});
after(async () => {
  if (options.skip !== false) return;
  await live.close();
  await processes.stop();
  await stack.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** The history of a sync that ended, as it lies in Temporal. */
async function rawHistory(name: string): Promise<proto.temporal.api.history.v1.IHistory> {
  const handle = live.temporal.workflow.getHandle(syncWorkflowId({ namespace: 'default', name }));
  return until('the end of the run', async () => {
    const history = await handle.fetchHistory();
    const last = history.events?.at(-1);
    const isOver =
      last?.workflowExecutionCompletedEventAttributes ?? last?.workflowExecutionFailedEventAttributes;
    return isOver == null ? undefined : history;
  });
}

/** What of our own anybody may search for and read. */
const searchable = (answer: unknown): readonly string[] =>
  [...payloadsIn(answer)]
    .filter((found) => isSearchable(found) && /\.Imageferry[^.]*$/.test(found.path))
    .map(({ payload }) => JSON.parse(textOf(payload)) as string);

/** Everything that Temporal keeps of a Repository: the run's history, what it is listed with, the Schedule. */
async function keptOf(
  name: string,
): Promise<readonly [proto.temporal.api.history.v1.IHistory, ...unknown[]]> {
  const { workflow, workflowService } = live.temporal;
  const ref = { namespace: 'default', name };
  const history = await rawHistory(name);
  const { raw } = await workflow.getHandle(syncWorkflowId(ref)).describe();
  const schedule = await workflowService.describeSchedule({
    namespace: endpoints.temporalNamespace,
    scheduleId: resyncScheduleId(ref),
  });
  return [history, raw, schedule];
}

test(
  'P16: a history shows without the key what can be searched for and no more, however its sync ends',
  options,
  async () => {
    const path = `test/${live.unique('sealed')}`;
    await demoRegistry(endpoints.registries.upstream).push(path, '1', madeImage([1000]));
    const second = await live.slowSite(endpoints.registries.edge.domain, 100_000_000);
    for (const [tag, result] of [
      ['1', 'Success'],
      ['gone', 'Failed'],
    ] as const) {
      const name = await live.repository(secret, {
        repository: path,
        tag,
        retryCount: 0,
        sites: ['edge', second],
      });
      const { record } = await live.ended(name);
      assert.equal(record.result, result, JSON.stringify(record));
      const kept = await keptOf(name);
      assert.deepEqual(keysOf(kept), ['one']);
      const bytes = Buffer.from(proto.temporal.api.history.v1.History.encode(kept[0]).finish());
      for (const word of [path, endpoints.registries.upstream.domain, '.ts:'])
        assert.ok(!bytes.includes(word), `${word} can be read`);
      assert.equal(
        [...payloadsIn(kept[0])].some((found) => isPatch(found)),
        result === 'Success',
      );
      const failures = [...payloadsIn(kept[0])].filter((found) => found.path.endsWith('.encodedAttributes'));
      assert.equal(failures.length > 0, result === 'Failed');
      const names = new Set(['default', name, secret, 'edge', second, 'create', 'schedule', 'one']);
      const others = searchable(kept).filter((word) => !names.has(word));
      assert.ok(
        others.every((word) => /^sha256:[0-9a-f]{64}$/.test(word)),
        others.join(', '),
      );
    }
  },
);

const asJson = ({ metadata, data }: FoundPayload['payload']) => ({
  metadata: Object.fromEntries(
    Object.entries(metadata ?? {}).map(([field, value]) => [field, Buffer.from(value).toString('base64')]),
  ),
  data: Buffer.from(data ?? []).toString('base64'),
});

/** What the codec endpoint says to a payload of a history. */
async function decode(history: unknown): Promise<{ readonly status: number; readonly text: string }> {
  const payloads = [...payloadsIn(history)].map(({ payload }) => asJson(payload));
  const answer = await fetch(`${endpoints.api}/oapis/image.theriseunion.io/v1alpha1/codec/decode`, {
    method: 'POST',
    headers: { authorization: `Bearer ${endpoints.tokens.admin}`, 'content-type': 'application/json' },
    body: JSON.stringify({ payloads }),
  });
  return { status: answer.status, text: await answer.text() };
}

test(
  'P16: keys are rotated under a sync that runs: it ends, and what was sealed before is opened still',
  options,
  async () => {
    const path = `test/${live.unique('rotated')}`;
    await demoRegistry(endpoints.registries.upstream).push(path, '1', madeImage([2_000_000]));
    const site = await live.slowSite(endpoints.registries.edge.domain, 200_000);
    const name = await live.repository(secret, { repository: path, tag: '1', sites: [site] });
    const ref = { namespace: 'default', name };
    await until('bytes move', async () => ((await live.copies(ref)) > 0 ? true : undefined));
    await runWith(`${two},${one}`);
    const { record } = await live.ended(name);
    assert.equal(record.result, 'Success', JSON.stringify(record));
    const history = await rawHistory(name);
    assert.deepEqual(keysOf(history), ['one', 'two']);

    const answer = await decode(history);
    assert.equal(answer.status, 200);
    const { payloads } = JSON.parse(answer.text) as { payloads: { data: string }[] };
    const opened = payloads.map(({ data }) => Buffer.from(data, 'base64').toString('utf8')).join('\n');
    assert.ok(opened.includes(path) && opened.includes(name));
  },
);

test(
  'N18: a key is brought in process by process; out of order it is told by its code, and nothing is lost',
  options,
  async () => {
    const path = `test/${live.unique('ordered')}`;
    await demoRegistry(endpoints.registries.upstream).push(path, '1', madeImage([1000]));
    const make = (): Promise<string> => live.repository(secret, { repository: path, tag: '1' });
    const name = await make();
    await live.ended(name);
    const before = await rawHistory(name);
    await restart('worker-2', `${two},${one}`);

    // The API seals with a key that the workers do not know: what it starts waits for them.
    await restart('api', `${three},${two}`);
    const asked = await fetch(
      `${endpoints.api}/oapis/image.theriseunion.io/v1alpha1/namespaces/default/repositories/${name}/sync`,
      { method: 'POST', headers: { authorization: `Bearer ${endpoints.tokens.admin}` } },
    );
    assert.equal(asked.status, 200);
    const told = (): string => processes.logOf('worker') + processes.logOf('worker-2');
    await until('it is told', async () => (told().includes('CodecKeyMissing') ? true : undefined));
    assert.match(told(), /key three/);
    for (const worker of ['worker', 'worker-2'] as const) await restart(worker, `${two},${three}`);
    assert.equal((await live.ended(name, 2)).record.result, 'Unchanged');

    // Known everywhere, it seals in one process after the other, while syncs go on.
    for (const worker of ['worker', 'worker-2'] as const) {
      await restart(worker, `${three},${two}`);
      assert.equal((await live.ended(await make())).record.result, 'Success');
    }
    // An old key that goes too early is missed by its name; back again, it opens what it sealed.
    await restart('api', three);
    const refused = await decode(before);
    assert.equal(refused.status, 503, refused.text);
    assert.match(refused.text, /CodecKeyMissing.*key two/s);
    await restart('api', `${three},${two},${one}`);
    assert.equal((await decode(before)).status, 200);
    const last = await make();
    await live.ended(last);
    assert.deepEqual(keysOf(await rawHistory(last)), ['three']);
  },
);

/** How a Schedule lies in Temporal. */
const scheduleOf = (name: string) =>
  live.temporal.workflowService.describeSchedule({
    namespace: endpoints.temporalNamespace,
    scheduleId: resyncScheduleId({ namespace: 'default', name }),
  });

const { WORKFLOW_EXECUTION_STATUS_COMPLETED: completed } =
  proto.temporal.api.enums.v1.WorkflowExecutionStatus;

/** Waits for a run that a Schedule started from now on to end well; Temporal notices at the next one. */
async function fires(name: string): Promise<void> {
  const from = Date.now() / 1000;
  await until(`a run of ${name}`, async () =>
    (await scheduleOf(name)).info?.recentActions?.find(
      ({ actualTime, startWorkflowStatus }) =>
        Number(actualTime?.seconds) > from && startWorkflowStatus === completed,
    ),
  );
}

test(
  'N18: a rotation seals the Schedules anew by itself, and once the old keys are gone they fire, and paused ones can',
  options,
  async () => {
    await processes.everywhere(three, one, two);
    const path = `test/${live.unique('scheduled')}`;
    await demoRegistry(endpoints.registries.upstream).push(path, '1', madeImage([1000]));
    const make = () => live.repository(secret, { repository: path, tag: '1', syncInterval: '10s' });
    const [free, held] = [await make(), await make()];
    for (const name of [free, held]) await fires(name);
    const handle = live.temporal.schedule.getHandle(resyncScheduleId({ namespace: 'default', name: held }));
    await handle.pause('held by hand');
    await processes.everywhere(three, one, two, four);
    await processes.everywhere(four, three, one, two);
    for (const url of processes.metrics)
      await until('no Schedule left', async () => {
        const page = await (await fetch(url)).text();
        return page.includes('imageferry_schedules_sealed_otherwise{key="three"} 0') ? true : undefined;
      });
    const since = new Date();
    for (const name of [free, held]) assert.deepEqual(keysOf((await scheduleOf(name)).schedule), ['four']);
    await processes.everywhere(four);

    await fires(free);
    const { state } = (await scheduleOf(held)).schedule ?? {};
    assert.deepEqual([state?.paused, state?.notes], [true, 'held by hand']);
    // What it starts is handed the result of the run before the pause, whose key is gone.
    await handle.unpause('goes on');
    await fires(held);
    for await (const { workflowId, runId } of live.temporal.workflow.list({
      query: `TaskQueue = 'imageferry' AND StartTime >= '${since.toISOString()}'`,
    })) {
      const history = await live.temporal.workflow.getHandle(workflowId, runId).fetchHistory();
      assert.deepEqual(keysOf(history), ['four'], workflowId);
    }
    await processes.everywhere(four, three, two, one);
  },
);

test(
  'the search for secrets looks into sealed payloads, too, and finds none of the run',
  options,
  async () => {
    const planted = `pl4nted-${randomBytes(12).toString('hex')}`;
    const { temporalAddress: address, temporalNamespace: namespace } = endpoints;
    const dataConverter = sharedDataConverter(process.env['TEMPORAL_CODEC_KEYS']);
    const client = connectTemporal({ address, namespace, dataConverter });
    const workflowId = `planted-${randomBytes(4).toString('hex')}`;
    const memo = { auth: planted };
    await client.workflow.start('nobody', { workflowId, taskQueue: 'nobody', args: [], memo });
    const places = await until('it is found', async () => {
      const { found } = await searchStack({ planted });
      return found.length > 0 ? found : undefined;
    });
    // Once: in what was opened, and neither in the history as it lies there nor in Temporal's own files.
    assert.equal(places.length, 1, places.join(', '));
    assert.ok(places[0]?.startsWith(`planted: history of ${workflowId} `), places[0]);
    await client.workflow.getHandle(workflowId).terminate();
    await client.connection.close();
    assert.deepEqual((await searchStack(secretsOfRun())).found, []);
  },
);
