import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Registry } from 'prom-client';
import { measureStorage } from '../../activities/storage.ts';
import { registerStorageGauges } from '../../worker/storage-metrics.ts';
import { serveMetrics } from '../../worker/metrics-server.ts';
import { cleanupScene } from '../support/faults/cleanup-scene.ts';
import { heading, row, targetPath } from '../support/faults/world.ts';
import { sampleImage } from '../support/misbehaving-registry/images.ts';
import { inActivity } from '../support/in-activity.ts';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

heading('storage metrics', () => {
  row(
    'what was measured at a site is on the page that Prometheus scrapes, and so is what a cleanup freed',
    async (world) => {
      const shared = sampleImage('shared');
      const scene = await cleanupScene(world, ['1', '2'], () => shared);
      const { resources, documents } = scene.deps;
      const sites = resources.resource('edgesites');
      await sites.patch({ name: 'edge' }, { spec: { capacity: 1_000_000 } });
      await resources.resource('imagecleanuppolicies').create({
        apiVersion: 'image.theriseunion.io/v1alpha1',
        kind: 'ImageCleanupPolicy',
        metadata: { namespace: 'default', name: 'p' },
        spec: {},
      });
      await resources
        .resource('imagecleanuppolicies')
        .applyStatus({ namespace: 'default', name: 'p' }, '', { freedBytes: 77 });
      assert.equal(await inActivity(() => measureStorage(scene.deps)), 2);

      const registry = new Registry();
      registerStorageGauges(registry, { documents, resources });
      const port = await freePort();
      const server = await serveMetrics({ host: '127.0.0.1', port, registry }, () => true);
      const page = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
      await server.close();
      const value = (line: string): number =>
        Number(
          page
            .split('\n')
            .find((text) => text.startsWith(line))
            ?.split(' ')
            .at(-1),
        );
      const bytes = value(`image_storage_bytes{registry_name="edge",image="${targetPath}"}`);
      assert.ok(bytes > 0, page);
      assert.equal(value(`image_storage_registry_bytes{registry_name="edge",`), bytes);
      assert.equal(value(`image_storage_unique_bytes{registry_name="edge",image="${targetPath}"}`), bytes);
      assert.equal(value('image_storage_usage_percent{registry_name="edge"}'), bytes / 10_000);
      assert.equal(value('image_cleanup_freed_bytes{namespace="default",policy="p"}'), 77);
      await scene.close();
    },
  );
});
