import assert from 'node:assert/strict';
import type { FailureCode } from '../../../domain/failure-catalogue.ts';
import { describe, imageOf, sampleBytes, type SampleImage } from '../misbehaving-registry/images.ts';
import type { FaultWorld } from './world.ts';

/** Media type of an OCI image manifest. */
export const ociManifest = 'application/vnd.oci.image.manifest.v1+json';
/** The blobs of the images here. */
export const config = Buffer.from('{"d":1}');
/** See `config`. */
export const layer = sampleBytes('d', 500);
/** The JSON of a manifest of those two, with more. */
export const body = (more: object = {}): Record<string, unknown> => ({
  schemaVersion: 2,
  mediaType: ociManifest,
  config: describe('application/vnd.oci.image.config.v1+json', config),
  layers: [describe('application/vnd.oci.image.layer.v1.tar', layer)],
  ...more,
});
/** An image whose layer's descriptor says more. */
export const withLayer = (more: object): SampleImage =>
  imageOf(
    [config, layer],
    body({ layers: [describe('application/vnd.oci.image.layer.v1.tar', layer, more)] }),
  );

/** A manifest that must not be copied: the code, no tag, and nothing under its digest at the target. */
export async function refused(
  world: FaultWorld,
  code: FailureCode | readonly FailureCode[],
  image: SampleImage,
): Promise<void> {
  const { source, target } = await world.pair(image);
  await world.copyFails(code, source, target);
  assert.equal(world.trace.count('PUT', '/manifests/', target.origin), 0, 'no manifest was sent on');
}

/** A manifest that is copied whole. */
export async function copied(world: FaultWorld, image: SampleImage): Promise<void> {
  const { source, target } = await world.pair(image);
  await world.copy(source, target);
  world.landed(target, image);
}
