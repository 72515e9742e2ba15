import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { lifecycleWorkflows } from '../../domain/lifecycle/ids.ts';
import { hubTaskQueue } from '../../domain/sync/ids.ts';
import { demoRegistry } from '../../infra/local/demo/registry.ts';
import { liveLifecycle } from '../support/live-lifecycle.ts';
import { liveSync, until } from '../support/live-sync.ts';
import { madeImage } from '../support/made-image.ts';
import { endpoints } from '../support/stack.ts';

const { upstream, edge } = endpoints().registries;
const live = liveSync();
const cycle = liveLifecycle(live);
const from = demoRegistry(upstream);
let secret = '';

before(async () => {
  secret = await live.secret(upstream);
});
after(() => live.close());

async function run(type: string): Promise<unknown> {
  return live.temporal.workflow.execute<() => Promise<unknown>>(type, {
    workflowId: live.unique(type),
    taskQueue: hubTaskQueue,
    args: [],
  });
}

test('I08 a scrub finds a blob that the site lost, says Degraded, and heals it by a repair sync', async () => {
  const path = `test/${live.unique('scrub')}`;
  const image = madeImage([5000, 60]);
  await from.push(path, 'v', image);
  const name = await live.repository(secret, { repository: path, tag: 'v' });
  const { object } = await live.ended(name);
  const layer = image.blobs.at(-1)?.digest ?? '';
  const authorization = `Basic ${Buffer.from(`${edge.username}:${edge.password}`).toString('base64')}`;
  const lost = await fetch(`http://${edge.domain}/v2/${path}/blobs/${layer}`, {
    method: 'DELETE',
    headers: { authorization },
  });
  assert.equal(lost.status, 202);

  await run(lifecycleWorkflows.scrub);
  const healed = await until('healed', async () => {
    const { status } = await live.get(name);
    const degraded = status?.conditions?.find(({ type }) => type === 'Degraded');
    return degraded?.status === 'False' && status?.history?.[0]?.trigger === 'repair' ? status : undefined;
  });
  assert.equal(healed.history?.[0]?.result, 'Success');
  assert.ok((await demoRegistry(edge).blob(path, layer)).length > 0);
  const events = await live.eventsOf(object.metadata.uid ?? '');
  assert.ok(
    events.some(({ note }) => note?.includes('1 of 1 images are damaged')),
    JSON.stringify(events),
  );
});

test('storage is measured exactly, and shared bytes count once', async () => {
  const path = `test/${live.unique('store')}`;
  const image = madeImage([9000]);
  for (const tag of ['a', 'b']) await from.push(path, tag, image);
  const name = await live.repository(secret, { repository: path, tag: 'a', tagSelector: { glob: '*' } });
  await live.ended(name);
  await run(lifecycleWorkflows.measureStorage);
  const { status, body } = await cycle.call('GET', `storage?search=${path}&limit=10`);
  assert.equal(status, 200);
  const bytes = [image.index, ...image.blobs].reduce((sum, content) => sum + content.bytes.length, 0);
  const lines = body['items'] as { tag?: string; images: number; totalBytes: number; uniqueBytes: number }[];
  assert.deepEqual(
    lines.map(({ tag, images, totalBytes, uniqueBytes }) => [tag, images, totalBytes, uniqueBytes]),
    [
      [undefined, 2, bytes, bytes],
      ['a', 1, bytes, 0],
      ['b', 1, bytes, 0],
    ],
  );
});
