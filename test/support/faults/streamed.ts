import { digestOf } from '../misbehaving-registry/content.ts';
import { sampleImage, type SampleImage } from '../misbehaving-registry/images.ts';
import type { MisbehavingRegistry } from '../misbehaving-registry/registry.ts';
import type { FaultWorld } from './world.ts';

/** A layer that is sent as a stream. Bytes. */
export const streamedBytes = 3_000_000;

/** A pair whose image has one layer that is large enough to be streamed, and the layer's digest. */
export async function streamed(
  world: FaultWorld,
  id: string,
  size = streamedBytes,
): Promise<{
  readonly image: SampleImage;
  readonly digest: string;
  readonly source: MisbehavingRegistry;
  readonly target: MisbehavingRegistry;
}> {
  const image = sampleImage(id, [size]);
  const { source, target } = await world.pair(image);
  return { image, digest: digestOf(image.blobs[1] ?? Buffer.alloc(0)), source, target };
}
