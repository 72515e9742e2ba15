import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { test } from 'node:test';
import { showMainJob } from '../../infra/local/demo/show.ts';
import { quietProgress } from '../../infra/local/install/progress.ts';
import { endpoints, endpointsPath } from '../support/stack.ts';

test('npm start shows the main job: an image goes from upstream to the edge, the same byte for byte', async () => {
  const first = await showMainJob(endpoints(), quietProgress);
  assert.equal(first.sync.result, 'Success');
  assert.equal(first.sync.digest, first.digest);
  assert.ok(first.bytes > 24 << 20);
  const second = await showMainJob(endpoints(), quietProgress);
  assert.equal(second.sync.result, 'Unchanged');
  assert.equal(second.sync.bytesMoved, 0);
  assert.equal(second.digest, first.digest);
});

test('endpoints.json has the shape that other programs read, for its owner only', () => {
  const leaves = (value: object, path = ''): string[] =>
    Object.entries(value).flatMap(([key, inner]: [string, unknown]) =>
      typeof inner === 'object' && inner !== null ? leaves(inner, `${path}${key}.`) : [`${path}${key}`],
    );
  assert.deepEqual(leaves(endpoints()), [
    'api',
    'workerMetrics',
    'temporalAddress',
    'temporalNamespace',
    'temporalUi',
    'kubeconfig',
    's3.endpoint',
    's3.region',
    's3.bucket',
    's3.accessKeyId',
    's3.secretAccessKey',
    'registries.upstream.domain',
    'registries.upstream.username',
    'registries.upstream.password',
    'registries.edge.domain',
    'registries.edge.username',
    'registries.edge.password',
    'tokens.admin',
    'tokens.operator',
    'tokens.viewer',
  ]);
  assert.equal(statSync(endpointsPath()).mode & 0o777, 0o600);
});
