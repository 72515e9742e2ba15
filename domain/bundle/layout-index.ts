import { utf8 } from '../trust/bytes.ts';
import type { BundleImage, BundleReferrer } from './statement.ts';

/** The bytes of `oci-layout` (OCI image spec, image-layout.md). */
export const ociLayoutBytes: Uint8Array = utf8('{"imageLayoutVersion":"1.0.0"}');

/**
 * The bytes of a bundle's `index.json`: one entry per image, named `repo:tag`, then the referrers without a name, so
 * that tools which know only OCI layouts find everything. Follows from the signed lists alone; a layout that says
 * anything else is refused.
 */
export function layoutIndex(
  images: readonly BundleImage[],
  referrers: readonly BundleReferrer[],
): Uint8Array {
  const named = images.map(({ mediaType, digest, size, repo, tag }) => ({
    mediaType,
    digest,
    size,
    annotations: { 'org.opencontainers.image.ref.name': `${repo}:${tag}` },
  }));
  const unnamed = referrers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size }));
  return utf8(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.index.v1+json',
      manifests: [...named, ...unnamed],
    }),
  );
}
