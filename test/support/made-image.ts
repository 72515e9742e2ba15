import { createHash, randomBytes } from 'node:crypto';
import type { Content, Image } from '../../infra/local/demo/image.ts';

const oci = 'application/vnd.oci.image';

/** A new layer, unlike all others, of so many bytes. */
export const madeLayer = (size: number): Content => content(`${oci}.layer.v1.tar`, randomBytes(size));

/** A new image, unlike all others, for one platform, with layers that are given or of the given sizes in bytes. */
export function madeImage(
  layerSizes: readonly (number | Content)[],
  { created = '2026-01-01T00:00:00Z' }: { readonly created?: string } = {},
): Image {
  const layers = layerSizes.map((layer) => (typeof layer === 'number' ? madeLayer(layer) : layer));
  const config = content(`${oci}.config.v1+json`, {
    created,
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
  });
  const index = content(`${oci}.manifest.v1+json`, {
    schemaVersion: 2,
    mediaType: `${oci}.manifest.v1+json`,
    config: descriptor(config),
    layers: layers.map(descriptor),
  });
  return { index, manifests: [index], blobs: [config, ...layers] };
}

/** Bytes, or the JSON of an object, under their digest. */
export function content(mediaType: string, value: Buffer | object): Content {
  const bytes = Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value));
  return { mediaType, bytes, digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}` };
}

/** What a manifest says of them. */
export const descriptor = ({ mediaType, digest, bytes }: Content) => ({
  mediaType,
  digest,
  size: bytes.length,
});
