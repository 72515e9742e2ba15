import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { SyncWindow } from '../../domain/resources/edge-site.ts';
import type { Repository, SiteStatus } from '../../domain/resources/repository.ts';
import { demoRegistry } from '../../infra/local/demo/registry.ts';
import { liveSync, synced, until } from '../support/live-sync.ts';
import { poolEnvironment, stageInPool } from '../support/live-pool.ts';
import { madeImage } from '../support/made-image.ts';
import { siteWorker } from '../support/site-worker.ts';
import { endpoints } from '../support/stack.ts';

const { registries } = endpoints();
const { upstream, edge } = registries;
const live = liveSync();
after(() => live.close());

/** A new image upstream, and the Repository that wants it at a site; its name and where it will be. */
async function wanted(site: string, layers: readonly number[], syncTimeout = '2m') {
  const path = `test/${live.unique('site')}`;
  const image = madeImage(layers);
  await demoRegistry(upstream).push(path, '1', image);
  const secret = await live.secret(upstream);
  const name = await live.repository(secret, { repository: path, tag: '1', sites: [site], syncTimeout });
  const arrived = async (): Promise<boolean> =>
    image.index.bytes.equals(await demoRegistry(edge).manifest(path, '1'));
  return { name, path, secret, ref: { namespace: live.namespace, name }, arrived };
}

const siteOf = ({ status }: Repository): SiteStatus | undefined => status?.sites?.[0];

test("work for a site waits while the site's own worker is away, and is done by it alone", async () => {
  const site = await live.slowSite(edge.domain, 50_000_000, { worker: true });
  const { name, ref, arrived } = await wanted(site, [100_000], '20s');
  await until('the step', async () => ((await live.waiting(ref)) > 0 ? true : undefined));
  assert.equal((await live.get(name)).status?.syncStatus, 'Syncing');
  const left = await live.ended(name);
  assert.equal(left.record.result, 'Waiting', JSON.stringify(left.record));
  assert.equal(siteOf(left.object)?.state, 'Pending');
  assert.equal(siteOf(left.object)?.reason, 'WaitsForSite');
  assert.equal(synced(left.object).status, 'Unknown');
  const worker = siteWorker(site);
  worker.start();
  try {
    const { record, object } = await live.ended(name, 2);
    assert.equal(record.result, 'Success', JSON.stringify(record));
    assert.equal(record.trigger, 'resumed');
    assert.equal(synced(object).status, 'True');
    assert.ok(await arrived());
    assert.equal(await worker.stop('SIGTERM'), 0, 'it ends cleanly when it is told to');
  } finally {
    await worker.close();
  }
});

test("a site's worker that dies in the middle of a blob goes on where it was when it is started again", async () => {
  const site = await live.slowSite(edge.domain, 2_000_000, { worker: true });
  const { name, ref, arrived } = await wanted(site, [12_000_000]);
  const worker = siteWorker(site);
  worker.start();
  try {
    await until('bytes on their way', async () => ((await live.copies(ref)) > 0 ? true : undefined));
    await new Promise((resolve) => setTimeout(resolve, 2500));
    await worker.stop('SIGKILL');
    worker.start();
    const { record } = await live.ended(name);
    assert.equal(record.result, 'Success', JSON.stringify(record));
    assert.ok(record.bytesMoved < 10_500_000, `${record.bytesMoved} bytes moved after the restart`);
    assert.ok(await arrived());
  } finally {
    await worker.close();
  }
});

test("a site's worker that dies while it copies, a moment before the time is up, is waited for, and no time-out", async () => {
  const site = await live.slowSite(edge.domain, 400_000, { worker: true });
  const { name, ref, arrived } = await wanted(site, [12_000_000], '25s');
  const worker = siteWorker(site);
  worker.start();
  try {
    await until('bytes on their way', async () => ((await live.copies(ref)) > 0 ? true : undefined));
    await new Promise((resolve) => setTimeout(resolve, 6000));
    await worker.stop('SIGKILL');
    const left = await live.ended(name);
    assert.equal(left.record.result, 'Waiting', JSON.stringify(left.record));
    assert.equal(siteOf(left.object)?.reason, 'WaitsForSite');
    const sites = live.resources.resource('edgesites');
    await sites.patch({ name: site }, { spec: { bandwidth: 50_000_000 } });
    worker.start();
    // On a slow machine it may be silent for so long that it is waited for once more.
    const history = await until('the image', async () => {
      const { status: { history: records = [] } = {} } = await live.get(name);
      return records[0]?.result === 'Waiting' ? undefined : records;
    });
    assert.deepEqual(
      [history[0]?.result, history[0]?.trigger],
      ['Success', 'resumed'],
      JSON.stringify(history),
    );
    assert.ok(await arrived());
  } finally {
    await worker.close();
  }
});

for (const [where, source, inPool, mayReadUpstream, served] of [
  ['the pool, where the site cannot read upstream', 'auto', true, false, 'pool'],
  ['the pool, where nothing else is wanted', 'pool', true, false, 'pool'],
  ['upstream, where the pool has nothing', 'auto', false, true, 'upstream'],
] as const) {
  test(`a site's own worker with source ${source} gets an image from ${where}`, async () => {
    const site = await live.slowSite(edge.domain, 50_000_000, { worker: true, source });
    const { name, path, secret, ref, arrived } = await wanted(site, [900_000, 3000]);
    const registryRef = { namespace: live.namespace, name: secret };
    if (inPool) await stageInPool(path, '1', { ref, registryRef });
    const worker = siteWorker(site, { upstream: mayReadUpstream });
    worker.start(poolEnvironment());
    try {
      const { record, object } = await live.ended(name);
      assert.equal(record.result, 'Success', JSON.stringify(record));
      assert.equal(siteOf(object)?.source, served);
      assert.ok(await arrived());
    } finally {
      await worker.close();
    }
  });
}

test('a site that may only use the pool fails with the reason where the pool lacks the image', async () => {
  const site = await live.slowSite(edge.domain, 50_000_000, { worker: true, source: 'pool' });
  const { name } = await wanted(site, [5000]);
  const worker = siteWorker(site);
  worker.start(poolEnvironment());
  try {
    const { record, object } = await live.ended(name);
    assert.equal(record.result, 'Failed', JSON.stringify(record));
    assert.equal(siteOf(object)?.reason, 'ManifestNotFound');
  } finally {
    await worker.close();
  }
});

test('a source is refused for a site without a worker of its own', async () => {
  await assert.rejects(live.slowSite(edge.domain, 50_000_000, { source: 'pool' }), /worker of its own/);
});

/** Open from a minute ago until `closes`, and again from `opens` on, in milliseconds from now. */
function windowAround(closes: number, opens: number): SyncWindow {
  const at = (ms: number): string => new Date(Date.now() + ms).toISOString().slice(11, 19);
  return {
    periods: [
      { from: at(-60_000), to: at(closes) },
      { from: at(opens), to: at(opens + 600_000) },
    ],
  };
}

test('the end of a sync window stops a copy inside a blob, and the next opening goes on there', async () => {
  const site = await live.slowSite(edge.domain, 1_500_000);
  const { name, ref, arrived } = await wanted(site, [15_000_000]);
  await until('bytes on their way', async () => ((await live.copies(ref)) > 0 ? true : undefined));
  const syncWindow = windowAround(6000, 12_000);
  await live.resources.resource('edgesites').patch({ name: site }, { spec: { syncWindow } });
  const paused = await live.ended(name);
  assert.equal(paused.record.result, 'Waiting', JSON.stringify(paused.record));
  assert.equal(siteOf(paused.object)?.reason, 'WaitsForWindow');
  assert.match(siteOf(paused.object)?.message ?? '', /opens at 20\d\d-\d\d-\d\dT/);
  assert.equal(paused.object.status?.syncStatus, '');
  assert.equal(synced(paused.object).status, 'Unknown');
  assert.equal(synced(paused.object).reason, 'WaitsForWindow');
  const { record } = await live.ended(name, 2);
  assert.equal(record.result, 'Success', JSON.stringify(record));
  assert.equal(record.trigger, 'resumed');
  assert.ok(record.bytesMoved < 12_000_000, `${record.bytesMoved} bytes moved after the pause`);
  assert.ok(await arrived());
});

test('a window that is taken away lets go at once, and a limit that is raised speeds up what runs', async () => {
  const closed = windowAround(-30_000, 3_600_000);
  const site = await live.slowSite(edge.domain, 50_000, { syncWindow: closed });
  const { name, ref, arrived } = await wanted(site, [6_000_000], '5m');
  assert.equal((await live.ended(name)).record.result, 'Waiting');
  const sites = live.resources.resource('edgesites');
  await sites.patch({ name: site }, { spec: { syncWindow: null } });
  await until('bytes on their way', async () => ((await live.copies(ref)) > 0 ? true : undefined));
  const before = Date.now();
  await sites.patch({ name: site }, { spec: { bandwidth: 20_000_000 } });
  const { record } = await live.ended(name, 2);
  assert.equal(record.result, 'Success', JSON.stringify(record));
  assert.ok(Date.now() - before < 60_000, 'at the old limit it takes two minutes');
  assert.ok(await arrived());
});
