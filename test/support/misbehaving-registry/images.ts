import { createHash } from 'node:crypto';
import { digestOf, type HeldManifest } from './content.ts';

const ociManifest = 'application/vnd.oci.image.manifest.v1+json';
const ociIndex = 'application/vnd.oci.image.index.v1+json';

/** Content of one image or index, ready to be put into a double. */
export interface SampleImage {
  readonly digest: string;
  readonly manifest: HeldManifest;
  readonly blobs: readonly Buffer[];
  /** Children first, this one last. */
  readonly manifests: readonly HeldManifest[];
}

/** Bytes that look random and are always the same for a seed. */
export function sampleBytes(seed: string, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  let block = createHash('sha512').update(seed).digest();
  for (let at = 0; at < size; at += block.byteLength) {
    block.copy(bytes, at);
    if (at % 65_536 === 0) block = createHash('sha512').update(block).update(String(at)).digest();
    else block = Buffer.from(block.map((byte, index) => (byte * 7 + index + at) & 0xff));
  }
  return bytes;
}

export const describe = (mediaType: string, bytes: Uint8Array, more: object = {}): object => ({
  mediaType,
  digest: digestOf(bytes),
  size: bytes.byteLength,
  ...more,
});

/** An image with layers of the given sizes. `more` goes into the manifest. */
export function sampleImage(
  seed: string,
  layerSizes: readonly number[] = [2000, 3000],
  more: object = {},
): SampleImage {
  const config = Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', seed }));
  const layers = layerSizes.map((size, index) => sampleBytes(`${seed}/${index}`, size));
  return imageOf([config, ...layers], {
    schemaVersion: 2,
    mediaType: ociManifest,
    config: describe('application/vnd.oci.image.config.v1+json', config),
    layers: layers.map((layer) => describe('application/vnd.oci.image.layer.v1.tar+gzip', layer)),
    ...more,
  });
}

/** Any manifest body with its blobs, verbatim. */
export function imageOf(
  blobs: readonly Buffer[],
  body: object | string,
  mediaType = ociManifest,
): SampleImage {
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  const manifest = { mediaType, bytes };
  return { digest: digestOf(bytes), manifest, blobs, manifests: [manifest] };
}

/** An index of images. */
export function sampleIndex(children: readonly SampleImage[], more: object = {}): SampleImage {
  const platforms = [
    { os: 'linux', architecture: 'amd64' },
    { os: 'linux', architecture: 'arm64', variant: 'v8' },
    { os: 'unknown', architecture: 'unknown' },
  ];
  const body = {
    schemaVersion: 2,
    mediaType: ociIndex,
    manifests: children.map((child, index) =>
      describe(child.manifest.mediaType, child.manifest.bytes, {
        platform: platforms[index % platforms.length],
      }),
    ),
    ...more,
  };
  const manifest = { mediaType: ociIndex, bytes: Buffer.from(JSON.stringify(body)) };
  return {
    digest: digestOf(manifest.bytes),
    manifest,
    blobs: children.flatMap((child) => child.blobs),
    manifests: [...children.flatMap((child) => child.manifests), manifest],
  };
}
