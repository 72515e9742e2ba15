import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Failure } from '../../domain/failure.ts';
import type { EdgeSite } from '../../domain/resources/edge-site.ts';
import { connectTemporal } from '../../infra/temporal/connection.ts';
import { createSiteSpeaker } from '../../infra/temporal/site-speaker.ts';
import { freshNamespace } from '../support/api-client.ts';
import { apply } from '../support/kubectl.ts';
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
