import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { demoRegistry } from '../../infra/local/demo/registry.ts';
import { freshNamespace } from '../support/api-client.ts';
import { apply, kubectl } from '../support/kubectl.ts';
import { madeImage } from '../support/made-image.ts';
import { endpoints } from '../support/stack.ts';

/** Written from section 2 of the contract alone: what a user of kubectl does and sees. */
const { registries } = endpoints();
const apiVersion = 'image.theriseunion.io/v1alpha1';
const path = 'test/kubectl';
const image = madeImage([1000, 2000]);
let ns = '';

const repository = (name: string, spec: object = {}) => ({
  apiVersion,
  kind: 'Repository',
  metadata: { name, namespace: ns },
  spec: { repository: path, tag: 'v1', registryRef: { name: 'hub' }, syncInterval: '24h', ...spec },
});
const inNamespace = (...args: string[]) => kubectl(['-n', ns, ...args]);

before(async () => {
  await demoRegistry(registries.upstream).push(path, 'v1', image);
  ns = await freshNamespace('kubectl');
  const spec = { ...registries.upstream, provider: 'other' };
  const secret = { apiVersion, kind: 'RegistrySecret', metadata: { name: 'hub', namespace: ns }, spec };
  assert.equal((await apply(secret)).code, 0);
});

test('kubectl apply starts the first sync at once, and kubectl wait sees its end', async () => {
  const applied = await apply(repository('app'));
  assert.equal(applied.code, 0, applied.stderr);
  const waited = await inNamespace('wait', '--for=condition=Synced', 'repository/app', '--timeout=60s');
  assert.equal(waited.code, 0, waited.stderr);
  const edge = demoRegistry(registries.edge);
  assert.ok(image.index.bytes.equals(await edge.manifest(path, 'v1')));
});

test('kubectl get shows registry, path with tag, status, progress, last synced and age', async () => {
  const { stdout } = await inNamespace('get', 'repositories');
  const [head = '', row = ''] = stdout.trim().split('\n');
  assert.match(head, /^NAME +REGISTRY +IMAGE +STATUS +PROGRESS +LAST SYNCED +AGE$/);
  const cells = row.split(/ {2,}/);
  assert.deepEqual(cells.slice(0, 5), ['app', registries.upstream.domain, `${path}:v1`, 'Success', '100%']);
  const columns = 'custom-columns=P:.status.syncProgress,S:.status.lastSynced,Z:.status.manifest.size';
  const custom = await inNamespace('get', 'repository', 'app', '-o', columns, '--no-headers');
  assert.match(custom.stdout, /^100% +\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ +\d+(\.\d+)?[kMG]?B/);
});

test('a new value of manual-sync starts one sync, and the same value no other', async () => {
  await inNamespace('annotate', 'repository/app', 'theriseunion.io/manual-sync=1');
  await until('the manual sync is in the history', async () => (await history('app')).includes('manual'));
  await inNamespace('annotate', 'repository/app', 'theriseunion.io/description=x');
  await sleep(2000);
  // The schedule may come in between.
  assert.equal((await history('app')).filter((trigger) => trigger === 'manual').length, 1);
});

const refusals: readonly (readonly [string, object, RegExp])[] = [
  ['a path with a tag', { repository: 'a/b:v1' }, /path without tag/],
  ['a path with a digest', { repository: 'a/b@sha256:00' }, /path without tag or digest/],
  ['a path with upper case', { repository: 'A/b' }, /lower-case/],
  ['a malformed tag', { tag: '-x' }, /tag must be/],
  ['a malformed interval', { syncInterval: 'soon' }, /duration such as 1h/],
  ['a site that is no name', { sites: ['A b'] }, /lower-case/],
  ['an unknown field', { repositori: 'a/b' }, /unknown field "spec.repositori"/],
];
for (const [what, spec, message] of refusals) {
  test(`${what} is refused by the cluster with a message that says so`, async () => {
    const { code, stderr } = await apply(repository('wrong', spec));
    assert.notEqual(code, 0);
    assert.match(stderr, message);
  });
}

const edits: readonly object[] = [
  { repository: 'other/path' },
  { tag: 'v2' },
  { registryRef: { name: 'other' } },
  { registryRef: { name: 'hub', namespace: 'elsewhere' } },
];
for (const edit of edits) {
  test(`${JSON.stringify(edit)} cannot be edited in`, async () => {
    const patch = JSON.stringify({ spec: edit });
    const { code, stderr } = await inNamespace('patch', 'repository', 'app', '--type=merge', '-p', patch);
    assert.notEqual(code, 0);
    assert.match(stderr, /cannot be changed: delete the object and create it anew/);
  });
}

test('a sync that fails says why in the condition and in an Event', async () => {
  assert.equal((await apply(repository('gone', { tag: 'nowhere', retryCount: 0 }))).code, 0);
  const failed = await inNamespace(
    'wait',
    '--for=condition=Synced=false',
    'repository/gone',
    '--timeout=60s',
  );
  assert.equal(failed.code, 0, failed.stderr);
  const reason = '-o=jsonpath={.status.conditions[?(@.type=="Synced")].reason}';
  assert.equal((await inNamespace('get', 'repository', 'gone', reason)).stdout, 'TagNotFound');
  await until('the Event is there', async () => {
    const { stdout } = await inNamespace('get', 'events', '--field-selector=reason=ImageManagement');
    return /Warning +ImageManagement +repository\/gone .*no such tag/i.test(stdout);
  });
});

test('kubectl delete ends at once and stops the schedule', async () => {
  const { code, stderr } = await inNamespace('delete', 'repository', 'app', '--timeout=10s');
  assert.equal(code, 0, stderr);
  const schedules = `${endpoints().temporalUi}/api/v1/namespaces/${endpoints().temporalNamespace}/schedules`;
  await until('the schedule is gone', async () => {
    const body = await (await fetch(`${schedules}?maximumPageSize=1000`)).text();
    assert.match(body, /"schedules"/);
    return !body.includes(`resync/${ns}/app"`);
  });
});

async function history(name: string): Promise<string[]> {
  const query = '-o=jsonpath={.status.history[*].trigger}';
  return (await inNamespace('get', 'repository', name, query)).stdout.split(' ').filter(Boolean);
}

async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 60_000; performance.now() < end; await sleep(200)) {
    if (await condition()) return;
  }
  assert.fail(`${what}: not within a minute`);
}
