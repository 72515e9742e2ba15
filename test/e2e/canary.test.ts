import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { connectAuditObjects } from '../../infra/audit/connect-audit.ts';
import { connectTemporal } from '../../infra/temporal/connection.ts';
import { sharedDataConverter } from '../../infra/temporal/data-converter.ts';
import { formsOf, SecretFinder } from '../support/canary/forms.ts';
import { searchStack } from '../support/canary/search.ts';
import { kubectl } from '../support/kubectl.ts';
import { endpoints, endpointsPath } from '../support/stack.ts';

/** The search that ends every end-to-end run can fail: what is planted is found, wherever it lies. */
const planted = `pl4nted-${randomBytes(12).toString('hex')}`;
const file = join(dirname(endpointsPath()), 'logs', 'planted.log');
const { s3, temporalAddress: address, temporalNamespace: namespace } = endpoints();
const dataConverter = sharedDataConverter(process.env['TEMPORAL_CODEC_KEYS']);
const client = connectTemporal({ address, namespace, dataConverter });
const workflowId = `planted-${randomBytes(4).toString('hex')}`;
const objectKey = `planted/${workflowId}`;

after(async () => {
  rmSync(file, { force: true });
  await kubectl(['delete', 'configmap', workflowId]);
  await kubectl(['delete', 'secret', workflowId]);
  await client.workflow.getHandle(workflowId).terminate();
  await client.connection.close();
  await bucket().remove(objectKey);
});

test('a planted secret is found in etcd, in a history, in the bucket and in a log, but not in a Secret', async () => {
  assert.deepEqual((await searchStack({ planted })).found, []);
  const kubernetes = await kubectl(['create', 'configmap', workflowId, `--from-literal=a=${planted}`]);
  assert.equal(kubernetes.code, 0, kubernetes.stderr);
  await kubectl(['create', 'secret', 'generic', workflowId, `--from-literal=a=${planted}`]);
  const encoded = Buffer.from(`robot:${planted}`).toString('base64');
  await client.workflow.start('nobody', { workflowId, taskQueue: 'nobody', args: [{ auth: encoded }] });
  writeFileSync(file, `{"msg":"Authorization: Basic ${encoded}"}\n`);
  await bucket().replace(objectKey, JSON.stringify({ url: encodeURIComponent(`https://u:${planted}@h`) }));
  const deadline = Date.now() + 15_000;
  let found: readonly string[] = [];
  // Temporal lists a run a moment after it was started.
  while (!found.some((place) => place.includes('history')) && Date.now() < deadline)
    ({ found } = await searchStack({ planted }));
  const places = found.map((place) => place.replace(/^planted: /, ''));
  for (const expected of [
    /^etcd \/registry\/configmaps\//,
    /^history of planted-/,
    /^s3 planted\//,
    /^file logs\/planted/,
  ])
    assert.ok(
      places.some((place) => expected.test(place)),
      `${expected.source} in ${places.join(', ')}`,
    );
  assert.ok(!places.some((place) => place.startsWith('etcd /registry/secrets')));
});

test('a secret is found in base64 wherever it begins, in URLs and in JSON', () => {
  const secret = 'a"b/c+d?e&f~g-12345';
  const finder = new SecretFinder({ secret });
  const texts = ['', 'x', 'xy', 'xyz', 'robot:'].flatMap((before) =>
    ['', 'y', '"}'].map((behind) => Buffer.from(before + secret + behind)),
  );
  for (const text of texts) {
    for (const encoding of ['base64', 'base64url', 'hex'] as const)
      assert.deepEqual(finder.in(Buffer.from(text.toString(encoding))), ['secret'], text.toString());
    assert.deepEqual(finder.in(text), ['secret']);
    assert.deepEqual(finder.in(Buffer.from(JSON.stringify(text.toString()))), ['secret']);
    assert.deepEqual(finder.in(Buffer.from(encodeURIComponent(text.toString()))), ['secret']);
  }
  assert.deepEqual(finder.in(Buffer.from('nothing of the kind')), []);
  assert.ok(formsOf(secret).length >= 9);
});

function bucket(): ReturnType<typeof connectAuditObjects> {
  process.env['AWS_ACCESS_KEY_ID'] = s3.accessKeyId;
  process.env['AWS_SECRET_ACCESS_KEY'] = s3.secretAccessKey;
  return connectAuditObjects(s3);
}
