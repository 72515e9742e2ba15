import type { Descriptor } from '../../domain/image/descriptor.ts';
import { manifestMediaTypes } from '../../domain/image/media-types.ts';

/** An image index that lists referrers, for the fallback tag (OCI distribution spec, "Referrers Tag Schema"). */
export function encodeReferrersIndex(manifests: readonly Descriptor[]): Uint8Array {
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: manifestMediaTypes.ociIndex,
      manifests: manifests.map((entry) => ({
        mediaType: entry.mediaType,
        digest: entry.digest,
        size: entry.size,
        ...(entry.artifactType === undefined ? {} : { artifactType: entry.artifactType }),
        ...(entry.annotations === undefined ? {} : { annotations: entry.annotations }),
      })),
    }),
  );
}
