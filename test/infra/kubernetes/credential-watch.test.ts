import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { watchCredentials } from '../../../infra/kubernetes/credential-watch.ts';
import { listenAsCluster } from '../../support/loopback-cluster.ts';

const secret = {
  metadata: { name: 'hub-credentials', namespace: 'team', uid: '1', resourceVersion: '8' },
};

test('a cluster without any Secret of ours, whose list is null, is watched without a complaint', async () => {
  const asked: string[] = [];
  const troubles: unknown[] = [];
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? '/', 'http://x');
    response.setHeader('content-type', 'application/json');
    if (searchParams.get('watch') !== 'true') {
      asked.push('list');
      const metadata = { resourceVersion: '7' };
      response.end(JSON.stringify({ kind: 'PartialObjectMetadataList', metadata, items: null }));
      return;
    }
    asked.push(`watch from ${searchParams.get('resourceVersion')}`);
    response.write(`${JSON.stringify({ type: 'ADDED', object: secret })}\n`);
  });
  const cluster = await listenAsCluster(server);
  const watch = watchCredentials(cluster, { onTrouble: (error) => troubles.push(error), minRelistMs: 50 });
  try {
    for (let turn = 0; turn < 100 && asked.length < 2; turn += 1) await sleep(20);
    assert.deepEqual([asked, troubles], [['list', 'watch from 7'], []]);
  } finally {
    watch.stop();
    server.closeAllConnections();
    server.close();
  }
});
