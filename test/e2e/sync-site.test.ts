import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { demoRegistry } from '../../infra/local/demo/registry.ts';
import { liveSync, until } from '../support/live-sync.ts';
import { madeImage } from '../support/made-image.ts';
import { endpoints } from '../support/stack.ts';

const { registries, temporalAddress, temporalNamespace } = endpoints();
const { upstream, edge } = registries;
const live = liveSync();
after(() => live.close());

test("work for a site waits while the site's own worker is away, and is done by it alone", async () => {
  const site = await live.slowSite(edge.domain, 50_000_000, true);
  const path = `test/${live.unique('site')}`;
  const image = madeImage([100_000]);
  await demoRegistry(upstream).push(path, '1', image);
  const secret = await live.secret(upstream);
  const name = await live.repository(secret, { repository: path, tag: '1', sites: [site] });
  const ref = { namespace: live.namespace, name };
  await until('the step', async () => ((await live.waiting(ref)) > 0 ? true : undefined));
  assert.equal((await live.get(name)).status?.syncStatus, 'Syncing');

  const folder = mkdtempSync(join(tmpdir(), 'imageferry-site-'));
  const file = join(folder, 'config.json');
  const auth = (account: typeof edge) => ({
    auth: Buffer.from(`${account.username}:${account.password}`).toString('base64'),
  });
  writeFileSync(
    file,
    JSON.stringify({ auths: { [upstream.domain]: auth(upstream), [edge.domain]: auth(edge) } }),
  );
  const worker = spawn(process.execPath, ['worker/site.ts'], {
    stdio: 'inherit',
    env: {
      TEMPORAL_ADDRESS: temporalAddress,
      TEMPORAL_NAMESPACE: temporalNamespace,
      SITE_NAME: site,
      SITE_REGISTRY: edge.domain,
      REGISTRY_AUTH_FILE: file,
      LOG_LEVEL: 'warn',
    },
  });
  const exit = new Promise((resolve) => worker.once('exit', resolve));
  try {
    const { record } = await live.ended(name);
    assert.equal(record.result, 'Success', JSON.stringify(record));
    assert.ok(image.index.bytes.equals(await demoRegistry(edge).manifest(path, '1')));
  } finally {
    worker.kill('SIGTERM');
    rmSync(folder, { recursive: true });
  }
  assert.equal(await exit, 0, 'it ends cleanly when it is told to');
});
