import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { Failure } from '../../domain/failure.ts';
import type { EdgeSite } from '../../domain/resources/edge-site.ts';
import type { ResourceClients } from '../../infra/kubernetes/cluster.ts';
import { connectCluster } from '../../infra/kubernetes/connection.ts';
import { createUsageClusters } from '../../infra/kubernetes/usage-clusters.ts';
import { connectTemporal } from '../../infra/temporal/connection.ts';
import { createSiteSpeaker } from '../../infra/temporal/site-speaker.ts';
import { freshNamespace } from '../support/api-client.ts';
import { apply, kubectl } from '../support/kubectl.ts';
import { siteWorker } from '../support/site-worker.ts';
import { endpoints } from '../support/stack.ts';

const { kubeconfig, temporalAddress: address, temporalNamespace } = endpoints();
const temporal = connectTemporal({ address, namespace: temporalNamespace });
after(() => temporal.connection.close());

/** Asked for directly: an EdgeSite that reports its usage would hold the cleanups of other tests while its worker is away. */
const speaker = createSiteSpeaker(temporal);
const site = (name: string): EdgeSite => ({
  apiVersion: 'image.theriseunion.io/v1alpha1',
  kind: 'EdgeSite',
  metadata: { name },
  spec: { registry: { domain: 'edge.example' }, worker: true, reportsUsage: true },
});

test("a site's own worker says which images the Pods of its cluster use", async () => {
  const namespace = await freshNamespace('site-usage');
  const image = 'registry.example/in-use/app:1.2.3';
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'runs', namespace },
    spec: { containers: [{ name: 'main', image }] },
  };
  const { code } = await apply(pod);
  assert.equal(code, 0);
  const worker = siteWorker('usage-told');
  worker.start({ KUBECONFIG: kubeconfig });
  try {
    const { texts } = await speaker(site('usage-told'));
    assert.ok(texts.includes(image), texts.join());
  } finally {
    await worker.close();
  }
});

test('the cluster of a kubeconfig is asked for its Pods, and one that refuses it is a cluster without an answer', async () => {
  const namespace = await freshNamespace('site-cluster');
  const image = 'registry.example/in-use/by-kubeconfig:1.2.3';
  const metadata = { name: 'runs', namespace };
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: [{ name: 'main', image }] } };
  assert.equal((await apply(pod)).code, 0);
  const text = readFileSync(kubeconfig, 'utf8');
  const look = async (config: string) => {
    const name = `site-cluster-${randomBytes(4).toString('hex')}`;
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: 'edge-system' } };
    assert.equal((await apply({ ...secret, stringData: { kubeconfig: config } })).code, 0);
    const spec = { registry: { domain: 'edge.example' }, kubeconfigSecretName: name };
    const edgesites = { list: async () => [{ ...site('far'), spec }] };
    const resources = { resource: () => edgesites } as unknown as ResourceClients;
    const nobody = (): never => assert.fail('not asked');
    const speakers = { worker: nobody, letter: nobody };
    const clusters = await createUsageClusters(connectCluster(kubeconfig), resources, speakers)();
    const far = clusters.find((cluster) => cluster.name === 'far') ?? assert.fail('not known');
    try {
      return await far.look();
    } finally {
      await kubectl(['delete', 'secret', name, '-n', 'edge-system']);
    }
  };
  assert.ok((await look(text)).texts.includes(image));
  const stranger = text.replace(/"token": ?"[^"]+"/, '"token":"nobody"');
  assert.notEqual(stranger, text);
  await assert.rejects(
    look(stranger),
    (error) => error instanceof Failure && error.code === 'ClusterUnavailable',
  );
});

test('a site whose worker sees no cluster has unknown usage, which is never none', async () => {
  const worker = siteWorker('usage-unknown');
  worker.start();
  try {
    await assert.rejects(
      speaker(site('usage-unknown')),
      (error) => error instanceof Failure && error.code === 'UsageUnknown',
    );
  } finally {
    await worker.close();
  }
});
