import { createHash, randomBytes } from 'node:crypto';
import type { Descriptor } from '../../domain/image/descriptor.ts';
import { manifestMediaTypes } from '../../domain/image/media-types.ts';
import { parseDigest, type DigestAlgorithm } from '../../domain/names/digest.ts';
import { parseTag } from '../../domain/names/tag.ts';
import type { ContentTarget, StoredManifest } from '../../infra/copy/content.ts';

/** A blob and its bytes. */
export interface SampleBlob {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

const layerType = 'application/vnd.oci.image.layer.v1.tar+gzip';
const configType = 'application/vnd.oci.image.config.v1+json';

/** A blob of these bytes. */
export function sampleBlob(
  bytes: Uint8Array,
  mediaType: string = layerType,
  algorithm: DigestAlgorithm = 'sha256',
): SampleBlob {
  return { bytes, descriptor: { mediaType, digest: digestOf(bytes, algorithm), size: bytes.byteLength } };
}

/** A blob of random bytes. */
export function randomBlob(size: number): SampleBlob {
  return sampleBlob(randomBytes(size));
}

/** A manifest of a JSON body, which has its `mediaType` inside. */
export function sampleManifest(
  body: { readonly mediaType: string } & Record<string, unknown>,
  algorithm: DigestAlgorithm = 'sha256',
): StoredManifest {
  const bytes = Buffer.from(JSON.stringify(body));
  const digest = digestOf(bytes, algorithm);
  return { bytes, descriptor: { mediaType: body.mediaType, digest, size: bytes.byteLength } };
}

/** An OCI image of these layers. */
export function sampleImage(
  layers: readonly SampleBlob[],
  platform: { readonly os: string; readonly architecture: string } = { os: 'linux', architecture: 'amd64' },
  extra: Record<string, unknown> = {},
): { readonly manifest: StoredManifest; readonly blobs: readonly SampleBlob[] } {
  const config = sampleBlob(
    Buffer.from(JSON.stringify({ ...platform, created: '2026-01-02T03:04:05Z', rootfs: { type: 'layers' } })),
    configType,
  );
  const manifest = sampleManifest({
    schemaVersion: 2,
    mediaType: manifestMediaTypes.ociManifest,
    config: config.descriptor,
    layers: layers.map((layer) => layer.descriptor),
    ...extra,
  });
  return { manifest, blobs: [config, ...layers] };
}

/** An index of these manifests. */
export function sampleIndex(
  children: readonly { readonly manifest: StoredManifest; readonly platform?: string }[],
): StoredManifest {
  return sampleManifest({
    schemaVersion: 2,
    mediaType: manifestMediaTypes.ociIndex,
    manifests: children.map(({ manifest, platform }) => {
      const [os, architecture] = (platform ?? '').split('/');
      return {
        ...manifest.descriptor,
        ...(platform === undefined ? {} : { platform: { os, architecture } }),
      };
    }),
  });
}

/** Writes blobs and manifests, the last manifest under a tag. */
export async function pushSample(
  target: ContentTarget,
  blobs: readonly SampleBlob[],
  manifests: readonly StoredManifest[],
  tag?: string,
): Promise<void> {
  for (const blob of blobs) {
    if (await target.hasBlob(blob.descriptor)) continue;
    const upload = await target.openUpload(blob.descriptor);
    for (let at = 0; at < blob.bytes.byteLength; at += 1 << 20)
      await upload.write(blob.bytes.subarray(at, at + (1 << 20)));
    await upload.commit();
  }
  for (const manifest of manifests) await target.pushManifest(manifest);
  const last = manifests.at(-1);
  if (tag !== undefined && last !== undefined) await target.pushManifest(last, parseTag(tag));
}

function digestOf(bytes: Uint8Array, algorithm: DigestAlgorithm = 'sha256'): Descriptor['digest'] {
  return parseDigest(`${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`);
}
