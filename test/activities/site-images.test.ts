import assert from 'node:assert/strict';
import { test } from 'node:test';
import { siteImages } from '../../activities/site-images.ts';
import { Failure } from '../../domain/failure.ts';
import { rejection } from '../support/refusal.ts';

const pod = (images: readonly string[]) => ({ namespace: 'a', name: 'p', images, statuses: [] });

test("a site says every image text of its Pods once, a runtime's included", async () => {
  const status = { image: 'edge/app:1', imageID: `edge/app@sha256:${'a'.repeat(64)}` };
  const pods = [{ ...pod(['app:1', '']), statuses: [status] }, pod(['app:1'])];
  assert.deepEqual(await siteImages({ list: async () => pods }), ['app:1', status.image, status.imageID]);
});

const unknown: readonly (readonly [string, Parameters<typeof siteImages>[0], Failure['code']])[] = [
  ['has no cluster', undefined, 'UsageUnknown'],
  ['has more images than fit', { list: async () => [pod(['x'.repeat(1_000_001)])] }, 'UsageUnknown'],
  [
    'cannot list its Pods',
    { list: () => Promise.reject(new Failure('ClusterUnavailable')) },
    'ClusterUnavailable',
  ],
];
for (const [what, pods, code] of unknown) {
  test(`a site that ${what} says so, and never that nothing is in use`, async () => {
    await rejection(code, siteImages(pods));
  });
}
