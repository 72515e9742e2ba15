import { createHash } from 'node:crypto';
import { RegistryClients } from '../../infra/registry/registry-client.ts';
import { pushSample, sampleBlob, sampleImage, type SampleBlob } from '../support/sample-image.ts';
import { openRepository } from './ground.ts';

/** Bytes that are the same in every run and that no compression shrinks. */
export function steadyBytes(seed: string, size: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(size);
  let block = createHash('sha512').update(seed).digest();
  for (let at = 0; at < size; at += block.byteLength) {
    // A new block each mebibyte, repeated with a counter between, is random enough and quick to make.
    if (at % 1_048_576 === 0) block = createHash('sha512').update(block).digest();
    block.copy(bytes, at, 0, Math.min(block.byteLength, size - at));
    if (at + 8 <= size) bytes.writeDoubleLE(at, at);
  }
  // Starts as gzip does: tools that look would otherwise compress it.
  if (size > 3) bytes.set([0x1f, 0x8b, 0x08]);
  return bytes;
}

const layer = (seed: string, size: number): SampleBlob => sampleBlob(steadyBytes(seed, size));

/** One image with one layer of this size under `v1`. */
export async function seedOneLayer(domain: string, path: string, size: number): Promise<void> {
  await withRepository(domain, path, async (store) => {
    const { blobs, manifest } = sampleImage([layer(path, size)]);
    await pushSample(store, blobs, [manifest], 'v1');
  });
}

/** Sizes of layers as images have them: a large base, some packages, and small ones. Bytes. */
const layerSizes = [28e6, 9e6, 3e6, 1.2e6, 600e3, 250e3, 90e3, 30e3, 4e3, 500] as const;

/**
 * Twenty images of ten layers: five bases of three layers are shared, the rest is each image's own. `generation` changes
 * one of the own layers of each. Returns the unique bytes of layers.
 */
export async function seedTwentyImages(domain: string, path: string, generation: number): Promise<number> {
  const unique = new Map<string, number>();
  await withRepository(domain, path, async (store) => {
    for (let image = 0; image < 20; image += 1) {
      const layers = layerSizes.map((size, depth) => {
        const owner = depth < 3 ? `base${image % 5}` : `image${image}${depth === 4 ? `g${generation}` : ''}`;
        return layer(
          `${owner}/${depth}`,
          Math.round(size * (1 + (image % 3) / 10)) + (depth < 3 ? image % 5 : image),
        );
      });
      for (const each of layers) unique.set(each.descriptor.digest, each.descriptor.size);
      const { blobs, manifest } = sampleImage(layers);
      await pushSample(store, blobs, [manifest], `app${image}`);
    }
  });
  return [...unique.values()].reduce((sum, size) => sum + size, 0);
}

/** Many tags, each an image of its own (unless `oneImage`) with one small layer over a shared base. */
export async function seedManyTags(
  domain: string,
  path: string,
  count: number,
  first = 0,
  oneImage = false,
): Promise<void> {
  await withRepository(domain, path, async (store) => {
    const base = layer('shared base', 200_000);
    await pushSample(store, [base], []);
    const tags = Array.from({ length: count }, (_none, index) => first + index);
    const lane = async (): Promise<void> => {
      for (let index = tags.pop(); index !== undefined; index = tags.pop()) {
        const { blobs, manifest } = sampleImage([base, layer(`small${oneImage ? 0 : index}`, 2000)]);
        await pushSample(store, blobs, [manifest], `t${index}`);
      }
    };
    await Promise.all(Array.from({ length: 12 }, lane));
  });
}

async function withRepository(
  domain: string,
  path: string,
  task: (store: ReturnType<typeof openRepository>) => Promise<void>,
): Promise<void> {
  const clients = new RegistryClients({ calls: 32 });
  try {
    await task(openRepository(clients, domain, path));
  } finally {
    await clients.close();
  }
}
