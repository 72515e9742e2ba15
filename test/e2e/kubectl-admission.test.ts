import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { before, test } from 'node:test';
import { freshNamespace } from '../support/api-client.ts';
import { apply, etcdKeysHolding, kubectl } from '../support/kubectl.ts';

/** What the webhooks do before anything is stored. They ask the API, so they are asked until it has seen the object. */
const canary = `c4nary-imageferry-${randomBytes(8).toString('hex')}`;
let ns = '';

const secret = (name: string, spec: object = {}) => ({
  apiVersion: 'image.theriseunion.io/v1alpha1',
  kind: 'RegistrySecret',
  metadata: { name, namespace: ns },
  spec: { domain: 'hub.invalid', username: 'robot', password: canary, provider: 'other', ...spec },
});
const inNamespace = (...args: string[]) => kubectl(['-n', ns, ...args]);
const pod = (name: string, image: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: ns },
  spec: { containers: [{ name: 'main', image }] },
});

before(async () => {
  ns = await freshNamespace('kubectl-admission');
});

test('an applied password is in no other value of etcd at any time, not even right after kubectl returns', async () => {
  const applied = await apply(secret('hub'));
  assert.equal(applied.code, 0, applied.stderr);
  const inBase64 = Buffer.from(canary).toString('base64');
  const holders = await etcdKeysHolding([canary, inBase64]);
  assert.ok(
    holders.length > 0 && holders.every((key) => key.startsWith('/registry/secrets/')),
    holders.join(' '),
  );
  const { stdout } = await inNamespace('get', 'registrysecret', 'hub', '-o', 'jsonpath={.spec.password}');
  assert.equal(stdout, '<encrypted>');
});

test('a dry run stores no credential', async () => {
  const dry = await kubectl(['apply', '--dry-run=server', '-f', '-'], secret('dry'));
  assert.equal(dry.code, 0, dry.stderr);
  const { stdout } = await inNamespace('get', 'secrets', '-o', 'name');
  assert.ok(!stdout.includes('dry'), stdout);
});

test('applying the same file again is fine, applying another password is refused in words', async () => {
  const owner = 'jsonpath={.metadata.ownerReferences[0].name}';
  await eventually(async () =>
    assert.equal((await inNamespace('get', 'secret', 'hub-registry-credential', '-o', owner)).stdout, 'hub'),
  );
  assert.equal((await apply(secret('hub'))).code, 0);
  const other = await apply(secret('hub', { password: 'another' }));
  assert.notEqual(other.code, 0);
  assert.match(other.stderr, /cannot be edited in place/);
});

test('a RegistrySecret in use is not deleted, unless it is annotated to be', async () => {
  const repository = {
    apiVersion: 'image.theriseunion.io/v1alpha1',
    kind: 'Repository',
    metadata: { name: 'app', namespace: ns },
    spec: { repository: 'a/b', tag: 'v1', registryRef: { name: 'hub' } },
  };
  assert.equal((await apply(repository)).code, 0);
  await eventually(async () => {
    const refused = await inNamespace('delete', 'registrysecret', 'hub', '--dry-run=server');
    assert.notEqual(refused.code, 0);
    assert.match(refused.stderr, /in use by .*app/);
  });
  assert.notEqual((await inNamespace('delete', 'registrysecret', 'hub')).code, 0);
  await inNamespace('annotate', 'registrysecret', 'hub', 'theriseunion.io/force-delete=true');
  assert.equal((await inNamespace('delete', 'registrysecret', 'hub')).code, 0);
});

test('Pods of a namespace that asks for it are handed the pull secrets of their registries, others are not', async () => {
  assert.equal((await apply(secret('pull', { domain: 'pull.invalid:5000' }))).code, 0);
  await inNamespace('create', 'serviceaccount', 'default');
  const pullSecrets = 'jsonpath={.spec.imagePullSecrets[*].name}';
  assert.equal((await apply(pod('before', 'pull.invalid:5000/a/b:v1'))).code, 0);
  assert.equal((await inNamespace('get', 'pod', 'before', '-o', pullSecrets)).stdout, '');
  await kubectl(['label', 'namespace', ns, 'theriseunion.io/pod-credentials=enabled']);
  let count = 0;
  await eventually(async () => {
    count += 1;
    const name = `after-${count}`;
    assert.equal((await apply(pod(name, 'pull.invalid:5000/a/b:v1'))).code, 0);
    assert.equal(
      (await inNamespace('get', 'pod', name, '-o', pullSecrets)).stdout,
      'pull-registry-credential',
    );
  });
  assert.equal((await apply(pod('stranger', 'elsewhere.invalid/a/b:v1'))).code, 0);
  assert.equal((await inNamespace('get', 'pod', 'stranger', '-o', pullSecrets)).stdout, '');
});

/** Tries until what is asserted holds, for at most 20 seconds: the API hears of new objects a moment later. */
async function eventually(assertion: () => Promise<void>): Promise<void> {
  const end = Date.now() + 20_000;
  for (;;) {
    try {
      await assertion();
      return;
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((done) => setTimeout(done, 300));
    }
  }
}
