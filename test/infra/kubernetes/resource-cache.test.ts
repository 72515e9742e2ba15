import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CacheOptions } from '../../../infra/kubernetes/list-watch.ts';
import { WatchedCache } from '../../../infra/kubernetes/resource-cache.ts';
import { MisbehavingApiServer, siteObject, watchLine } from '../../support/misbehaving-apiserver.ts';

let server: MisbehavingApiServer;
let cache: WatchedCache<'edgesites'> | undefined;
const heard: string[] = [];

beforeEach(() => {
  server = new MisbehavingApiServer();
  heard.length = 0;
});
afterEach(() => {
  cache?.stop();
  server.stop();
});

async function start(options: CacheOptions = {}): Promise<WatchedCache<'edgesites'>> {
  cache = new WatchedCache(await server.start(), 'edgesites', { minRelistMs: 300, ...options });
  cache.onChange(({ metadata }, gone) => heard.push(`${gone ? '-' : '+'}${metadata.name}`));
  await cache.start();
  return cache;
}

test('the cache is complete after its start and follows what the watch tells', async () => {
  server.names = ['a'];
  server.watches.push({
    lines: [watchLine('ADDED', siteObject('b', '11')), watchLine('DELETED', siteObject('a', '12'))],
  });
  const sites = await start();
  await until(() => sites.list().length === 1 && sites.get({ name: 'b' }) !== undefined);
  assert.deepEqual(heard, ['+a', '+b', '-a']);
  assert.equal(server.lists.length, 1);
});

test('O03: a watch that the server ends or cuts goes on from the last version, without a new list', async () => {
  const bookmark = watchLine('BOOKMARK', { kind: 'EdgeSite', metadata: { resourceVersion: '20' } });
  server.watches.push({ lines: [bookmark], ending: 'end' });
  server.watches.push({ lines: [watchLine('ADDED', siteObject('c', '21'))], ending: 'cut' });
  const sites = await start();
  await until(() => server.watchedFrom.length === 3);
  assert.deepEqual(server.watchedFrom, ['10', '20', '21']);
  assert.ok(sites.get({ name: 'c' }));
  assert.equal(server.lists.length, 1);
});

test('the 429 of the first watch after a CRD is established is waited out', async () => {
  server.watches.push({ status: 429 }, { lines: [watchLine('ADDED', siteObject('d', '11'))] });
  const sites = await start();
  await until(() => sites.get({ name: 'd' }) !== undefined);
  assert.deepEqual(server.watchedFrom, ['10', '10']);
  assert.equal(server.lists.length, 1);
});

const expired = watchLine('ERROR', { kind: 'Status', code: 410, reason: 'Expired' });
for (const [what, answer] of [
  ['an ERROR event', { lines: [expired], ending: 'end' }],
  ['status 410', { status: 410 }],
] as const) {
  test(`O03: ${what} asks for a new list, and not more often than allowed`, async () => {
    server.names = ['a'];
    for (let count = 0; count < 20; count += 1) server.watches.push(answer);
    const sites = await start();
    server.names = ['e'];
    await until(() => server.lists.length === 3);
    assert.deepEqual(
      sites.list().map(({ metadata }) => metadata.name),
      ['e'],
    );
    assert.deepEqual(heard, ['+a', '-a', '+e']);
    const gaps = server.lists.slice(1).map((time, index) => time - (server.lists[index] ?? 0));
    assert.ok(
      gaps.every((gap) => gap >= 290),
      String(gaps),
    );
  });
}

test('O03: a line that is cut in the middle loses nothing: the next watch brings the change again', async () => {
  const whole = watchLine('ADDED', siteObject('f', '11'));
  server.watches.push({ lines: [whole.slice(0, 40)], ending: 'end' }, { lines: [whole] });
  const sites = await start();
  await until(() => sites.get({ name: 'f' }) !== undefined);
  assert.deepEqual(server.watchedFrom, ['10', '10']);
});

test('O02: a watch that died without a word is given up for a new list', async () => {
  const sites = await start({ relistMs: 400 });
  server.names = ['g'];
  // The server here forgets to end the watch at the time it was asked for.
  await until(() => sites.get({ name: 'g' }) !== undefined, 20_000);
  assert.ok(server.lists.length >= 2);
});

async function until(condition: () => boolean, within = 10_000): Promise<void> {
  for (const end = performance.now() + within; performance.now() < end; await sleep(10)) {
    if (condition()) return;
  }
  assert.fail(`not so within ${within} ms`);
}
