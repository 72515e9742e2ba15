import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { inWindow } from '../../domain/in-window.ts';
import { demoRegistry } from '../../infra/local/demo/registry.ts';
import { liveSync, synced } from '../support/live-sync.ts';
import { madeImage } from '../support/made-image.ts';
import { endpoints } from '../support/stack.ts';

const { registries } = endpoints();
const { upstream, edge } = registries;
const live = liveSync();
const fleet = live.unique('fleet');
const sites = Array.from({ length: 70 }, (_, index) => `${fleet}-${index}`);
const edgeSites = live.resources.resource('edgesites');

let name: string | undefined;

after(async () => {
  const { namespace } = live;
  if (name !== undefined) await live.resources.resource('repositories').delete({ namespace, name });
  await inWindow(sites, 10, (site) => edgeSites.delete({ name: site }).catch(() => undefined));
  await live.close();
});

test('an image for seventy sites is at each of them after one sync, and its condition is short', async () => {
  const path = `test/${fleet}`;
  const image = madeImage([1000]);
  await demoRegistry(upstream).push(path, '1', image);
  await inWindow(sites, 10, (site) =>
    edgeSites.create({
      apiVersion: 'image.theriseunion.io/v1alpha1',
      kind: 'EdgeSite',
      metadata: { name: site },
      spec: {
        registry: { domain: edge.domain, credentialSecretName: 'site-edge', pathPrefix: site },
        priority: -100,
      },
    }),
  );
  name = await live.repository(await live.secret(upstream), { repository: path, tag: '1', sites });
  const { object, record } = await live.ended(name);
  assert.equal(record.result, 'Success', JSON.stringify(record));
  assert.deepEqual(
    object.status?.sites?.map(({ site, state }) => `${site} ${state}`).toSorted(),
    sites.map((site) => `${site} Synced`).toSorted(),
  );
  assert.match(synced(object).message, /and 65 more/);
  for (const site of sites) {
    const there = await demoRegistry(edge).manifest(`${site}/${path}`, '1');
    assert.ok(image.index.bytes.equals(there), site);
  }
});
