import assert from 'node:assert/strict';
import { after, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseRegistryDomain } from '../../domain/names/registry-domain.ts';
import type { EdgeSiteSpec, SyncWindow } from '../../domain/resources/edge-site.ts';
import { syncWorkflowId } from '../../domain/sync/ids.ts';
import { siteTermsSignal } from '../../domain/sync/site-terms.ts';
import { parsePercent } from '../../domain/sync/progress.ts';
import { demoRegistry } from '../../infra/local/demo/registry.ts';
import { base, call } from '../support/api-client.ts';
import { openFlakyLink } from '../support/flaky-link.ts';
import { liveSync, synced, until } from '../support/live-sync.ts';
import { madeImage } from '../support/made-image.ts';
import { siteWorker } from '../support/site-worker.ts';
import { endpoints } from '../support/stack.ts';

const stack = endpoints();
const { upstream, edge } = stack.registries;
const live = liveSync();
after(() => live.close());

/** An edit counts within this time, in milliseconds: the hub's look, the site's, and a slow machine. */
const reachesMs = 30_000;
/** Bytes that may pass besides the blob: requests, tokens, config and manifests, and a piece on its way when a copy stops. */
const besides = 1_000_000;

/** A site whose own worker is at work on one large blob, over a way that counts what passes. */
async function copying(t: TestContext, size: number, spec: Partial<EdgeSiteSpec>, syncTimeout = '5m') {
  const link = await openFlakyLink(parseRegistryDomain(edge.domain));
  const site = await live.slowSite(link.domain, 200_000, { worker: true, ...spec });
  const worker = siteWorker(site, { registry: link.domain });
  t.after(async () => {
    await worker.close();
    await link.close();
  });
  worker.start();
  const path = `test/${live.unique('edits')}`;
  const image = madeImage([size]);
  await demoRegistry(upstream).push(path, '1', image);
  const secret = await live.secret(upstream);
  const name = await live.repository(secret, {
    repository: path,
    tag: '1',
    sites: [site],
    syncTimeout,
  });
  const sent = async (bytes: number): Promise<void> =>
    until(`${bytes} bytes at the site`, async () => (link.sent >= bytes ? true : undefined), 90_000).then(
      () => {},
    );
  const edit = (change: { readonly bandwidth?: number | null; readonly syncWindow?: SyncWindow | null }) =>
    live.resources.resource('edgesites').patch({ name: site }, { spec: change });
  const arrived = async (): Promise<boolean> =>
    image.index.bytes.equals(await demoRegistry(edge).manifest(path, '1'));
  return { name, site, link, worker, sent, edit, arrived, ref: { namespace: live.namespace, name } };
}

/** Bytes a second, over two seconds. */
async function speedOf(link: { readonly sent: number }): Promise<number> {
  const before = link.sent;
  await sleep(2000);
  return (link.sent - before) / 2;
}

/** Closed now, for an hour at least. */
function closed(): SyncWindow {
  const at = (ms: number): string => new Date(Date.now() + ms).toISOString().slice(11, 19);
  return { periods: [{ from: at(3_600_000), to: at(7_200_000) }] };
}

test("an edited limit counts for a copy that the site's own worker has under way, without a byte sent twice", async (t) => {
  const size = 24_000_000;
  const { name, link, sent, edit, arrived, ref } = await copying(t, size, {});
  await sent(300_000);
  assert.ok((await speedOf(link)) < 500_000, 'it goes by its first limit');
  await edit({ bandwidth: 1_000_000 });
  await until('a faster copy', async () => ((await speedOf(link)) > 600_000 ? true : undefined), reachesMs);
  await edit({ bandwidth: 50_000 });
  await until('a slower copy', async () => ((await speedOf(link)) < 200_000 ? true : undefined), reachesMs);
  assert.ok(link.sent < size, 'it is not over yet');
  await edit({ bandwidth: null });
  const { record } = await live.ended(name);
  assert.equal(record.result, 'Success', JSON.stringify(record));
  assert.ok(await arrived());
  assert.ok(link.sent < size + besides, `${link.sent} bytes passed for a blob of ${size}`);
  const { events } = await live.temporal.workflow.getHandle(syncWorkflowId(ref)).fetchHistory();
  const copies = events?.filter(
    ({ activityTaskScheduledEventAttributes: step }) => step?.activityType?.name === 'copyImage',
  );
  assert.equal(copies?.length, 1, 'one step, never begun anew');
  const told = events?.filter(
    ({ workflowExecutionSignaledEventAttributes: signal }) => signal?.signalName === siteTermsSignal,
  );
  // One word for each edit; where the machine is slow and nothing was heard for half a minute, one more.
  assert.ok((told?.length ?? 0) >= 3 && (told?.length ?? 0) <= 6, `${told?.length} words`);
});

test("a window that an edit closes stops the copy of a site's own worker inside the blob; an edit that opens it goes on there", async (t) => {
  const size = 8_000_000;
  const { name, link, sent, edit, arrived } = await copying(t, size, {});
  await sent(600_000);
  await edit({ syncWindow: closed() });
  const paused = await live.ended(name);
  assert.equal(paused.record.result, 'Waiting', JSON.stringify(paused.record));
  assert.equal(synced(paused.object).reason, 'WaitsForWindow');
  const before = link.sent;
  assert.ok(before < size, 'it stopped inside the blob');
  await sleep(3000);
  assert.ok(link.sent - before < 100_000, 'nothing is sent meanwhile');
  await edit({ bandwidth: 20_000_000, syncWindow: null });
  const { record } = await live.ended(name, 2);
  assert.equal(record.result, 'Success', JSON.stringify(record));
  assert.ok(await arrived());
  assert.ok(link.sent < size + besides, `${link.sent} bytes passed for a blob of ${size}`);
});

test("an edit made while the site's own worker is dead counts when that is back, for a copy that was planned before", async (t) => {
  const { name, link, worker, sent, edit } = await copying(t, 8_000_000, {});
  await sent(600_000);
  await worker.stop('SIGKILL');
  await edit({ syncWindow: closed() });
  await sleep(5000);
  const before = link.sent;
  worker.start();
  const { record, object } = await live.ended(name);
  assert.equal(record.result, 'Waiting', JSON.stringify(record));
  assert.equal(synced(object).reason, 'WaitsForWindow');
  assert.ok(link.sent - before < 1_500_000, `${link.sent - before} bytes passed after the window had closed`);
});

test('a site whose own worker dies inside a blob and stays away makes the sync wait, and it goes on there', async (t) => {
  const size = 8_000_000;
  const { name, link, worker, sent, edit, arrived } = await copying(t, size, {}, '90s');
  await sent(600_000);
  await worker.stop('SIGKILL');
  const left = await live.ended(name, 1, 120_000);
  assert.equal(left.record.result, 'Waiting', JSON.stringify(left.record));
  assert.equal(synced(left.object).reason, 'WaitsForSite');
  await edit({ bandwidth: 20_000_000 });
  worker.start();
  const { record } = await live.ended(name, 2);
  assert.deepEqual([record.result, record.trigger], ['Success', 'resumed'], JSON.stringify(record));
  assert.ok(await arrived());
  assert.ok(link.sent < size + besides, `${link.sent} bytes passed for a blob of ${size}`);
});

/** Reads the events of a Repository until there are `count` different percents in between. */
async function percentsOf(name: string, count: number): Promise<readonly number[]> {
  const url = `${stack.api}${base}/namespaces/${live.namespace}/repositories/${name}/progress`;
  const answer = await fetch(url, {
    headers: { authorization: `Bearer ${stack.tokens.viewer}` },
    signal: AbortSignal.timeout(60_000),
  });
  const seen: number[] = [];
  let text = '';
  for await (const chunk of answer.body ?? []) {
    text += Buffer.from(chunk).toString('utf8');
    for (const [, said] of text.matchAll(/"syncProgress":"([^"]*)"/g)) {
      const percent = parsePercent(said);
      if (percent > 0 && percent < 100 && !seen.includes(percent)) seen.push(percent);
    }
    if (seen.length >= count) return seen;
  }
  return seen;
}

test("how far the copy of a site's own worker is shows in the status and in live progress, and adds nothing to the history", async (t) => {
  const { name, edit, ref } = await copying(t, 8_000_000, { bandwidth: 400_000 });
  const percents = await percentsOf(name, 4);
  assert.deepEqual(
    percents,
    percents.toSorted((a, b) => a - b),
    'it only grows',
  );
  assert.equal(percents.length, 4);
  const shown = await call(stack.tokens.viewer, 'GET', `/namespaces/${live.namespace}/repositories/${name}`);
  assert.ok(parsePercent(shown.json.status.syncProgress) >= (percents.at(-1) ?? 0));
  const handle = live.temporal.workflow.getHandle(syncWorkflowId(ref));
  const before = await handle.describe();
  await sleep(4000);
  const later = await handle.describe();
  assert.equal(later.historyLength, before.historyLength);
  await edit({ bandwidth: 20_000_000 });
  const { object, record } = await live.ended(name);
  assert.equal(record.result, 'Success', JSON.stringify(record));
  assert.equal(object.status?.syncProgress, '100%');
});

test('a Repository that is edited while a copy of ten minutes runs is synced as the edit says at once', async () => {
  const slow = await live.slowSite(edge.domain, 10_000);
  const path = `test/${live.unique('edited')}`;
  await demoRegistry(upstream).push(path, '1', madeImage([6_000_000]));
  const registry = await live.secret(upstream);
  const name = await live.repository(registry, { repository: path, tag: '1', sites: [slow] });
  const ref = { namespace: live.namespace, name };
  await until('a sync under way', async () =>
    (await live.get(name)).status?.syncStatus === 'Syncing' ? true : undefined,
  );
  await live.resources.resource('repositories').patch(ref, { spec: { syncInterval: '2h' } });
  const quick = await live.slowSite(edge.domain, 50_000_000, {
    registry: {
      domain: parseRegistryDomain(edge.domain),
      pathPrefix: 'quick',
      credentialSecretName: 'site-edge',
    },
  });
  await live.resources.resource('repositories').patch(ref, { spec: { sites: [quick] } });
  const { object } = await live.ended(name, 2);
  const [second, first, ...others] = object.status?.history ?? [];
  assert.deepEqual([first?.result, first?.reason], ['Failed', 'Superseded']);
  assert.deepEqual(others, []);
  await assert.rejects(demoRegistry(edge).manifest(path, '1'), 'no tag is written as nobody wants it');
  assert.deepEqual([second?.result, second?.trigger], ['Success', 'spec'], JSON.stringify(second));
  assert.deepEqual(
    object.status?.sites?.map(({ site, state }) => [site, state]),
    [[quick, 'Synced']],
  );
  assert.equal(synced(object).status, 'True');
});
