import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { demoRegistry } from '../../infra/local/demo/registry.ts';
import { apply, kubectl } from '../support/kubectl.ts';
import { liveLifecycle } from '../support/live-lifecycle.ts';
import { liveSync } from '../support/live-sync.ts';
import { madeImage } from '../support/made-image.ts';
import { startRegistryProcess } from '../support/registry-process.ts';
import { endpoints } from '../support/stack.ts';

const { registries, api, tokens } = endpoints();
const { upstream } = registries;
// Policies cover a namespace: other tests' images must not be in it.
const live = liveSync(`offline-${randomBytes(3).toString('hex')}`);
const cycle = liveLifecycle(live);
const folder = mkdtempSync(join(tmpdir(), 'imageferry-usage-'));
const site = live.unique('ship');
let [secret, receiptKey] = ['', ''];

const run = promisify(execFile);
const ferry = (line: string): Promise<{ stdout: string }> =>
  run(process.execPath, [join(import.meta.dirname, '../../worker/imageferry.ts'), ...line.split(' ')], {
    cwd: folder,
  });

const edgeSite = (more: object): object => ({
  apiVersion: 'image.theriseunion.io/v1alpha1',
  kind: 'EdgeSite',
  metadata: { name: site },
  spec: { mode: 'offline', registry: { domain: 'registry.ship.example' }, ...more },
});

before(async () => {
  await cycle.createNamespace();
  secret = await live.secret(upstream);
  writeFileSync(join(folder, 'token'), tokens.admin);
  await ferry('trust keygen key');
  await ferry('trust root --root-key key.pub.pem --bundle-key key.pub.pem --sign key.pem --out root.json');
  const { stdout } = await ferry(`trust pin root.json --site ${site} --state state`);
  receiptKey = stdout.slice(stdout.indexOf('-----BEGIN'));
});
after(async () => {
  // An EdgeSite that reports would hold the cleanups of others once its word is old.
  await kubectl(['delete', 'edgesite', site]);
  await live.close();
  rmSync(folder, { recursive: true, force: true });
});

test('usage is told by letter only where there is a key to verify it with', async () => {
  const { code, stderr } = await apply(edgeSite({ reportsUsage: true, worker: true }));
  assert.notEqual(code, 0);
  assert.match(stderr, /reportsUsage is for a site with a worker of its own, or an offline one/);
});

test('J12 what the Pods of a site without a network use, as its letter tells, no cleanup takes', async () => {
  const path = `test/${live.unique('ship-app')}`;
  for (const [tag, bytes] of [
    ['1.0.0', 500],
    ['1.1.0', 510],
    ['1.2.0', 520],
  ] as const)
    await demoRegistry(upstream).push(path, tag, madeImage([bytes]));
  const spec = { repository: path, tag: '1.2.0', tagSelector: { semver: '>=1' } };
  await live.ended(await live.repository(secret, spec));
  assert.equal((await apply(edgeSite({ bundle: { receiptKey } }))).code, 0);

  const pod = { kind: 'Pod', spec: { containers: [{ image: `${upstream.domain}/${path}:1.0.0` }] } };
  writeFileSync(join(folder, 'pods.json'), JSON.stringify({ kind: 'List', items: [pod] }));
  const registry = await startRegistryProcess();
  const look = `bundle inventory --registry ${registry.domain} --state state`;
  try {
    await ferry(`${look} --pods pods.json --out letter.json`);
  } finally {
    await registry.stop();
  }
  await ferry(`receipt apply letter.json --api ${api} --token-file token`);
  assert.equal((await apply(edgeSite({ bundle: { receiptKey }, reportsUsage: true }))).code, 0);

  const policy = await cycle.policy({ keepRecent: 1, dryRun: true });
  const route = `namespaces/${live.namespace}/image-cleanup-policies/${policy}`;
  assert.equal((await cycle.call('POST', `${route}/run`)).status, 200);
  await cycle.phase(policy, 'Idle', ({ status }) => status?.planHash !== undefined);
  const { body } = await cycle.call('GET', `${route}/plan?limit=100&search=${path}`);
  const items = body['items'] as { tag: string; action: string; reason: string }[];
  assert.deepEqual(Object.fromEntries(items.map(({ tag, action, reason }) => [tag, `${action} ${reason}`])), {
    '1.0.0': 'keep InUse',
    '1.1.0': 'delete NotKept',
    '1.2.0': 'keep KeepRecent',
  });
});
