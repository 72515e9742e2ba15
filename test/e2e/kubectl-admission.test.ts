import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { before, test } from 'node:test';
import { call, freshNamespace } from '../support/api-client.ts';
import { apply, etcdKeysHolding, kubectl } from '../support/kubectl.ts';
import { endpoints } from '../support/stack.ts';

/** What the webhooks do before anything is stored. They ask the API, so they are asked until it has seen the object. */
const canary = `c4nary-imageferry-${randomBytes(8).toString('hex')}`;
const { tokens } = endpoints();
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

test('creating a name that is taken leaves the credential of the first one as it is', async () => {
  const password = 'jsonpath={.data.password} {.metadata.ownerReferences[0].name}';
  const read = () => inNamespace('get', 'secret', 'pull-registry-credential', '-o', password);
  await eventually(async () => assert.match((await read()).stdout, / pull$/));
  const before = (await read()).stdout;
  const second = await kubectl(['create', '-f', '-'], secret('pull', { password: `${canary}-other` }));
  assert.match(second.stderr, /already exists/);
  assert.equal((await read()).stdout, before);
});

test('a credential whose RegistrySecret was refused after the webhook took it is swept; another’s Secret is not', async () => {
  const tooMany = Array.from({ length: 300 }, (_, index) => `ns-${index}`);
  const refused = await apply(secret('refused', { allowedNamespaces: tooMany }));
  assert.match(refused.stderr, /allowedNamespaces/);
  const name = 'refused-registry-credential';
  assert.equal((await inNamespace('get', 'secret', name)).code, 0);
  const foreign = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: 'foreign-registry-credential',
      namespace: ns,
      labels: { 'app.kubernetes.io/part-of': 'image-management' },
    },
    stringData: { password: canary },
  };
  assert.equal((await apply(foreign)).code, 0);
  const longAgo = new Date(Date.now() - 11 * 60_000).toISOString();
  await inNamespace(
    'annotate',
    'secret',
    name,
    `theriseunion.io/credential-stored=${longAgo}`,
    '--overwrite',
  );
  await eventually(async () => assert.notEqual((await inNamespace('get', 'secret', name)).code, 0), 90_000);
  assert.equal((await inNamespace('get', 'secret', 'foreign-registry-credential')).code, 0);
  const query = `/audit?limit=500&namespace=${ns}&name=refused&verb=delete-credential`;
  await eventually(async () => {
    const audited = await call(tokens.admin, 'GET', query);
    const stages = audited.json.items.map(({ stage }: { stage: string }) => stage);
    assert.deepEqual(stages.toReversed(), ['Requested', 'Completed'], audited.text);
  });
});

/** Tries until what is asserted holds, for 20 seconds where not told else: the API hears of new objects a moment later. */
async function eventually(assertion: () => Promise<void>, ms = 20_000): Promise<void> {
  const end = Date.now() + ms;
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
