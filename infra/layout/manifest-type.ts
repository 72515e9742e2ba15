import { Failure } from '../../domain/failure.ts';
import { manifestMediaTypes, type ManifestMediaType } from '../../domain/image/media-types.ts';
import { isJsonObject, parseStrictJson } from '../../domain/image/strict-json.ts';
import { parseManifest } from '../../domain/image/manifest.ts';

/**
 * The media type of a manifest that is stored without one, as in a layout or a pool: its own `mediaType`, or else what
 * its fields make it by the OCI image spec. Throws what `parseManifest` throws.
 */
export function manifestTypeOf(bytes: Uint8Array): ManifestMediaType {
  const body = parseStrictJson(bytes, { code: 'InvalidManifest' });
  if (!isJsonObject(body)) throw new Failure('InvalidManifest', { detail: 'not an object' });
  if (body['mediaType'] !== undefined) return parseManifest({ bytes }).mediaType;
  return body['manifests'] === undefined ? manifestMediaTypes.ociManifest : manifestMediaTypes.ociIndex;
}
