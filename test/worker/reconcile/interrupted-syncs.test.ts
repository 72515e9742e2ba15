import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WorkflowGateway } from '../../../infra/temporal/gateway.ts';
import { InterruptedSyncs } from '../../../worker/reconcile/interrupted-syncs.ts';
import { MemoryCluster } from '../../support/memory-cluster.ts';

test('where very many syncs run, each of them is asked about in its turn', async () => {
  const cluster = new MemoryCluster();
  const client = cluster.resource('repositories');
  for (let index = 0; index < 130; index += 1)
    await client.create({
      apiVersion: 'image.theriseunion.io/v1alpha1',
      kind: 'Repository',
      metadata: { namespace: 'shop', name: `app-${index}` },
      spec: { repository: 'a/b', tag: 'v1', registryRef: { name: 'hub' } },
      status: { syncStatus: 'Syncing' },
    });
  const asked = new Set<string>();
  const workflows: Pick<WorkflowGateway, 'newestSync'> = {
    newestSync: async ({ name }) => {
      asked.add(name);
      return {
        workflowId: 'w',
        runId: 'r',
        isOpen: true,
        trigger: 'manual',
        started: '2026-01-01T00:00:00Z',
      };
    },
  };
  let now = 0;
  const deps = { clients: cluster, workflows: workflows as WorkflowGateway, now: () => now };
  const interrupted = new InterruptedSyncs(deps);
  for (let sweep = 0; sweep < 8; sweep += 1, now += 30_000) await interrupted.sweep(await client.list());
  assert.equal(asked.size, 130);
});
