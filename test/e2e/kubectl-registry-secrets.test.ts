import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import type { ObjectRef } from '../../domain/resources/meta.ts';
import type { RegistrySecret } from '../../domain/resources/registry-secret.ts';
import { connectCluster } from '../../infra/kubernetes/connection.ts';
import { createCredentialStore } from '../../infra/kubernetes/credential-store.ts';
import { createEventRecorder } from '../../infra/kubernetes/event-recorder.ts';
import { createResourceClients } from '../../infra/kubernetes/resource-client.ts';
import type { WorkflowGateway } from '../../infra/temporal/gateway.ts';
import type { ReconcileDependencies } from '../../worker/reconcile/dependencies.ts';
import { RegistrySecretReconciler } from '../../worker/reconcile/registry-secrets.ts';
import { freshNamespace } from '../support/api-client.ts';
import { apply, etcdKeysHolding, kubectl } from '../support/kubectl.ts';
import { endpoints } from '../support/stack.ts';

/** Written from section 1 of the contract alone: what a user of kubectl does and sees. */
const { registries } = endpoints();
const canary = `c4nary-imageferry-${randomBytes(8).toString('hex')}`;
const inBase64 = Buffer.from(canary).toString('base64');
let ns = '';

const secret = (name: string, spec: object = {}) => ({
  apiVersion: 'image.theriseunion.io/v1alpha1',
  kind: 'RegistrySecret',
  metadata: { name, namespace: ns },
  spec: { domain: 'hub.invalid', username: 'robot', password: canary, provider: 'other', ...spec },
});
const inNamespace = (...args: string[]) => kubectl(['-n', ns, ...args]);
const read = async (kind: string, name: string) => {
  const { code, stdout } = await inNamespace('get', kind, name, '-o', 'json');
  return code === 0 ? JSON.parse(stdout) : undefined;
};
/** The one Secret that a RegistrySecret of this name owns, as the cluster lists it. */
async function ownedSecret(name: string) {
  const { stdout } = await inNamespace('get', 'secrets', '-o', 'json');
  const items: readonly ReturnType<typeof JSON.parse>[] = JSON.parse(stdout).items;
  return items.find((item) => item.metadata.ownerReferences?.[0]?.name === name);
}
const text = (value: string): string => Buffer.from(value, 'base64').toString();

before(async () => {
  ns = await freshNamespace('kubectl-secrets');
});

test('an applied password ends up in a Secret that Pods can pull with, and nowhere else in etcd', async () => {
  const applied = await apply(secret('hub'));
  assert.equal(applied.code, 0, applied.stderr);
  await until('the password is hidden', async () => {
    const holders = await etcdKeysHolding([canary, inBase64]);
    return holders.length > 0 && holders.every((key) => key.startsWith(`/registry/secrets/${ns}/`));
  });
  const { spec, metadata } = await read('registrysecret', 'hub');
  assert.equal(spec.password, '<encrypted>');
  assert.equal(metadata.annotations['theriseunion.io/domain'], 'hub.invalid');
  assert.equal(metadata.annotations['theriseunion.io/username'], 'robot');
  assert.equal(metadata.annotations['theriseunion.io/provider'], 'other');
  await until('the Secret has its owner', async () => (await ownedSecret('hub')) !== undefined);
  const { type, data, metadata: own } = await ownedSecret('hub');
  assert.equal(own.ownerReferences[0].uid, metadata.uid);
  assert.equal(type, 'kubernetes.io/dockerconfigjson');
  assert.deepEqual(
    [text(data.domain), text(data.username), text(data.password)],
    ['hub.invalid', 'robot', canary],
  );
  const { auths } = JSON.parse(text(data['.dockerconfigjson']));
  assert.equal(text(auths['hub.invalid'].auth), `robot:${canary}`);
});

test('applying the same file again changes nothing and leaves no password behind', async () => {
  const { code, stderr } = await apply(secret('hub'));
  assert.equal(code, 0, stderr);
  await until('the password is hidden again', async () => {
    const holders = await etcdKeysHolding([canary, inBase64]);
    return holders.every((key) => key.startsWith(`/registry/secrets/${ns}/`));
  });
  const again = await read('registrysecret', 'hub');
  assert.equal(again.spec.password, '<encrypted>');
  assert.equal(text((await ownedSecret('hub')).data.password), canary);
});

test('a verification is started, and its verdict is in annotations', async () => {
  await until('there is a verdict', async () => {
    const { metadata } = await read('registrysecret', 'hub');
    return metadata.annotations['theriseunion.io/verify-status'] === 'failed';
  });
  const { annotations } = (await read('registrysecret', 'hub')).metadata;
  assert.match(annotations['theriseunion.io/verify-timestamp'], /^\d{13}$/);
  assert.ok(annotations['theriseunion.io/verify-message'].length > 3);
});

test('a right credential is verified and shown so by kubectl get', async () => {
  assert.equal((await apply(secret('good', { ...registries.upstream }))).code, 0);
  await until('it is verified', async () => {
    const { stdout } = await inNamespace('get', 'registrysecrets', 'good', '--no-headers');
    return /^good +\S+ +other +success +/.test(stdout);
  });
});

test('a worker that looks at an old copy does not take a verdict back', async () => {
  const cluster = connectCluster(endpoints().kubeconfig);
  const clients = createResourceClients(cluster);
  const old = await clients
    .resource('registrysecrets')
    .create(secret('lag', registries.upstream) as RegistrySecret);
  const verdict = async () =>
    (await read('registrysecret', 'lag')).metadata.annotations['theriseunion.io/verify-status'];
  await until('it is verified', async () => (await verdict()) === 'success');
  const started: string[] = [];
  const lagging = new RegistrySecretReconciler({
    clients,
    caches: { cache: () => ({ get: () => old, list: () => [old], onChange: () => {} }) },
    credentials: createCredentialStore(cluster, clients),
    events: createEventRecorder(cluster, 'test'),
    workflows: {
      startVerify: async ({ name }: ObjectRef) => void started.push(name),
    } as unknown as WorkflowGateway,
    log: pino({ level: 'silent' }),
  } as unknown as ReconcileDependencies);
  await lagging.reconcile({ namespace: ns, name: 'lag' });
  assert.equal(await verdict(), 'success');
  assert.deepEqual(started, []);
});

const refusals: readonly (readonly [string, object, RegExp])[] = [
  ['a domain with a scheme', { domain: 'https://h' }, /remove the scheme/],
  ['a domain with a path', { domain: 'h/v2/' }, /remove the path/],
  ['O10: a domain with a user name', { domain: 'user:pw@host' }, /remove the user name/],
  ['a domain that is none', { domain: 'a b' }, /must be host\[:port\]/],
  ['a missing provider', { provider: null }, /spec.provider/],
];
for (const [what, spec, message] of refusals) {
  test(`${what} is refused by the cluster with a message that says so, and without the password`, async () => {
    const { code, stderr } = await apply(secret('wrong', spec));
    assert.notEqual(code, 0);
    assert.match(stderr, message);
    assert.ok(!stderr.includes(canary));
  });
}

for (const edit of [{ domain: 'other.invalid' }, { username: 'other' }, { provider: 'harbor' }]) {
  test(`${JSON.stringify(edit)} cannot be edited in`, async () => {
    const patch = JSON.stringify({ spec: edit });
    const { code, stderr } = await inNamespace('patch', 'registrysecret', 'hub', '--type=merge', '-p', patch);
    assert.notEqual(code, 0);
    assert.match(stderr, /cannot be changed/);
  });
}

test('a deleted RegistrySecret takes its Secret along, and a new one of that name has its own password', async () => {
  const { code, stderr } = await inNamespace('delete', 'registrysecret', 'hub', '--timeout=10s');
  assert.equal(code, 0, stderr);
  const next = `n3xt-${randomBytes(8).toString('hex')}`;
  assert.equal((await apply(secret('hub', { password: next }))).code, 0);
  await until('the new password is stored', async () => {
    const found = await ownedSecret('hub');
    return found !== undefined && text(found.data.password) === next;
  });
  assert.equal((await inNamespace('delete', 'registrysecret', 'hub', '--timeout=10s')).code, 0);
  await until('no Secret is left', async () => (await etcdKeysHolding([next, canary])).length === 0);
});

async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 30_000; performance.now() < end; await sleep(200)) {
    if (await condition()) return;
  }
  assert.fail(`${what}: not within 30 seconds`);
}
