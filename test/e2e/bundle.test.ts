import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { siteMailSchedule, stageScheduleId } from '../../domain/bundle/stage-plan.ts';
import type { EdgeSite, EdgeSiteSpec } from '../../domain/resources/edge-site.ts';
import type { ImageBundle } from '../../domain/resources/image-bundle.ts';
import { demoRegistry } from '../../infra/local/demo/registry.ts';
import { liveSync, until } from '../support/live-sync.ts';
import { madeImage } from '../support/made-image.ts';
import { offlineHub } from '../support/offline-hub.ts';
import { startRegistryProcess } from '../support/registry-process.ts';
import { endpoints } from '../support/stack.ts';

const { registries, api: apiUrl, tokens } = endpoints();
const live = liveSync();
const folder = mkdtempSync(join(tmpdir(), 'imageferry-offline-'));
after(async () => {
  await live.close();
  rmSync(folder, { recursive: true, force: true });
});

const hub = offlineHub(folder);
const { ferry } = hub;

async function api<T>(method: string, path: string, body?: unknown, tries = 5): Promise<T> {
  const answer = await fetch(`${apiUrl}/oapis/image.theriseunion.io/v1alpha1${path}`, {
    method,
    headers: { authorization: `Bearer ${tokens.admin}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  // As any client of it: what is short of time for a moment is asked again.
  if (answer.status === 503 && tries > 1) {
    await sleep(1000);
    return api(method, path, body, tries - 1);
  }
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
  return JSON.parse(text) as T;
}

async function stage(
  site: string,
  sequence: number,
  kind: 'delta' | 'full' | 'inventory' = 'delta',
): Promise<ImageBundle> {
  await api('POST', `/sites/${site}/bundles`, { kind });
  return staged(site, sequence);
}

function staged(site: string, sequence: number): Promise<ImageBundle> {
  return until(`bundle ${sequence}`, async () => {
    const list = await api<{ items: ImageBundle[] }>('GET', `/sites/${site}/bundles`);
    const found = list.items.find(({ spec }) => spec.sequence === sequence);
    assert.notEqual(found?.status?.phase, 'Failed', JSON.stringify(found?.status));
    return found?.status?.phase === 'Staged' ? found : undefined;
  });
}

before(async () => {
  await hub.sign();
  writeFileSync(join(folder, 'token'), tokens.admin);
});

/** A site without a network that trusts the root; `state` is its folder. */
async function offlineSite(
  domain: string,
  state: string,
  bundle: EdgeSiteSpec['bundle'] = {},
): Promise<{ readonly site: string; readonly change: (bundle: EdgeSiteSpec['bundle']) => Promise<void> }> {
  const site = live.unique('plant');
  const change = await hub.site(site, domain, state);
  await change(bundle);
  return { site, change };
}

test('a site without a network: staged, carried, imported, receipted, and then only what changed', async () => {
  const { upstream } = registries;
  const edge = await startRegistryProcess();
  try {
    const { site, change } = await offlineSite(edge.domain, 'state');
    await assert.rejects(change({ receiptKey: 'MCowBQYDK2VwAyEA' }), /a public key in PEM/);
    const path = `test/${live.unique('offline')}`;
    const [first, second] = [madeImage([200_000]), madeImage([150_000])];
    await demoRegistry(upstream).push(path, '1', first);
    const name = await live.repository(await live.secret(upstream), {
      repository: path,
      tag: '1',
      sites: [site],
    });
    await live.ended(name);
    const state = async (): Promise<string | undefined> =>
      (await live.get(name)).status?.sites?.find((entry) => entry.site === site)?.state;
    assert.equal(await state(), 'Pending');

    const bundle = await stage(site, 1);
    assert.equal(bundle.status?.bytes?.saved, 0);
    assert.equal(await state(), 'Staged');

    const archive = await fetch(
      `${apiUrl}/oapis/image.theriseunion.io/v1alpha1/sites/${site}/bundles/1/archive`,
      {
        headers: { authorization: `Bearer ${tokens.admin}`, range: 'bytes=100-' },
      },
    );
    assert.equal(archive.status, 206);
    const rest = Buffer.from(await archive.arrayBuffer());
    const whole = await fetch(
      `${apiUrl}/oapis/image.theriseunion.io/v1alpha1/sites/${site}/bundles/1/archive`,
      {
        headers: { authorization: `Bearer ${tokens.admin}` },
      },
    );
    const tar = Buffer.from(await whole.arrayBuffer());
    assert.ok(tar.subarray(100).equals(rest));
    writeFileSync(join(folder, 'bundle-1.tar'), tar);

    await ferry('bundle', 'fetch', site, '1', '--root', 'root.1.json', '--to', 'bundle-1');
    await ferry('bundle', 'import', 'bundle-1', '--registry', edge.domain, '--state', 'state', '--dry-run');
    await ferry('bundle', 'import', 'bundle-1.tar', '--registry', edge.domain, '--state', 'state');
    const there = await fetch(`http://${edge.domain}/v2/${path}/manifests/1`, {
      headers: {
        accept: 'application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json',
      },
    });
    assert.ok(first.index.bytes.equals(Buffer.from(await there.arrayBuffer())));

    const apply1 = ['receipt', 'apply', 'state/receipts/1.json', '--api', apiUrl, '--token-file', 'token'];
    await ferry(...apply1);
    const receipt = JSON.parse(readFileSync(join(folder, 'state/receipts/1.json'), 'utf8')) as object;
    const receipts = `/sites/${site}/receipts`;
    const answer = await api<{ verdict: string; message: string }>('POST', receipts, receipt);
    assert.deepEqual([answer.verdict, answer.message], ['repeat', 'The receipt was taken before']);
    assert.equal(await state(), 'Synced');
    const known = await api<EdgeSite>('GET', `/edge-sites/${site}`);
    assert.equal(known.status?.acknowledged?.sequence, 1);

    await demoRegistry(upstream).push(path, '1', second);
    const delta = await stage(site, 2);
    assert.ok((delta.status?.bytes?.carried ?? 0) < 160_000, JSON.stringify(delta.status?.bytes));
    await ferry('bundle', 'fetch', site, '2', '--root', 'root.1.json', '--to', 'bundle-2');
    const pod = { kind: 'Pod', spec: { containers: [{ image: `${edge.domain}/${path}:1` }] } };
    writeFileSync(join(folder, 'pods.json'), JSON.stringify({ kind: 'List', items: [pod] }));
    const import2 = ['bundle', 'import', 'bundle-2', '--registry', edge.domain, '--state', 'state'];
    await ferry(...import2, '--pods', 'pods.json');
    await ferry('receipt', 'apply', 'state/receipts/2.json', '--api', apiUrl, '--token-file', 'token');
    const after2 = (await api<EdgeSite>('GET', `/edge-sites/${site}`)).status;
    assert.deepEqual([after2?.acknowledged?.sequence, after2?.usage?.images], [2, 1]);
    const stale = await api<{ verdict: string; message: string }>('POST', receipts, receipt);
    assert.deepEqual([stale.verdict, /the base stays/.test(stale.message)], ['stale', true]);
    await assert.rejects(
      ferry('bundle', 'import', 'bundle-1', '--registry', edge.domain, '--state', 'state'),
      /Rollback/,
    );
  } finally {
    await edge.stop();
  }
});

/** Has a schedule run now: the times of schedules are Temporal's affair. */
const runNow = (schedule: string): Promise<true> =>
  until(schedule, () =>
    live.temporal.schedule
      .getHandle(schedule)
      .trigger()
      .then(
        () => true as const,
        () => undefined,
      ),
  );

test('bundles by themselves: after a sync and by schedule, letters through the bucket, from an inventory, and a full one', async () => {
  const { upstream } = registries;
  const edge = await startRegistryProcess();
  try {
    const { site, change } = await offlineSite(edge.domain, 'quiet', { afterSync: true });
    const path = `test/${live.unique('quiet')}`;
    const [first, second] = [madeImage([200_000]), madeImage([150_000])];
    await demoRegistry(upstream).push(path, '1', first);
    const secret = await live.secret(upstream);
    await live.ended(await live.repository(secret, { repository: path, tag: '1', sites: [site] }));
    const bring = async (sequence: number): Promise<void> => {
      const to = `quiet-${sequence}`;
      const api = ['--api', apiUrl, '--token-file', 'token'];
      await ferry('bundle', 'fetch', site, `${sequence}`, '--root', 'root.1.json', '--to', to, ...api);
      await ferry('bundle', 'import', to, '--registry', edge.domain, '--state', 'quiet');
    };
    const status = async () => (await api<EdgeSite>('GET', `/edge-sites/${site}`)).status;

    await staged(site, 1);
    await bring(1);
    await ferry('receipt', 'apply', 'quiet/receipts/1.json', '--bucket');
    await runNow(siteMailSchedule);
    await until('the receipt', async () =>
      (await status())?.acknowledged?.sequence === 1 ? true : undefined,
    );

    await change({ schedule: '0 3 1 1 *' });
    await demoRegistry(upstream).push(path, '1', second);
    await runNow(stageScheduleId(site));
    const scheduled = await staged(site, 2);
    assert.deepEqual(
      [scheduled.spec.kind, (scheduled.status?.bytes?.carried ?? 0) < 160_000],
      ['delta', true],
    );
    await bring(2);

    // Receipt 2 is lost: what the site has is told by the site.
    const take = ['bundle', 'inventory', '--registry', edge.domain, '--state', 'quiet'];
    await ferry(...take, '--out', 'inventory.json');
    await ferry('receipt', 'apply', 'inventory.json', '--bucket');
    await runNow(siteMailSchedule);
    await until('the inventory', async () => ((await status())?.inventory === undefined ? undefined : true));
    const known = await stage(site, 3, 'inventory');
    assert.deepEqual(known.status?.bytes?.carried, 0, JSON.stringify(known.status?.bytes));
    await bring(3);

    const full = await stage(site, 4, 'full');
    assert.equal(full.status?.bytes?.saved, 0);
    assert.equal(full.status?.bytes?.carried, full.status?.bytes?.full);
    await bring(4);
  } finally {
    await edge.stop();
  }
});
