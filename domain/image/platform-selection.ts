import { Failure } from '../failure.ts';
import type { Descriptor } from './descriptor.ts';
import { isAttestation, matchesPlatform, parsePlatform } from './platform.ts';
import { isJsonArray, isJsonObject, parseStrictJson, type JsonValue } from './strict-json.ts';

const describedDigest = 'vnd.docker.reference.digest';

/**
 * The children of an index that are wanted for these platforms (such as `linux/arm64`), and the attestations that
 * describe one of them. Nested indexes are always kept. Throws `PlatformNotFound` where no child matches.
 */
export function selectChildren(
  children: readonly Descriptor[],
  platforms: readonly string[],
): readonly Descriptor[] {
  const wanted = platforms.map(parsePlatform);
  const images = children.filter(
    ({ platform }) => platform === undefined || wanted.some((wish) => matchesPlatform(wish, platform)),
  );
  if (images.length === 0) throw new Failure('PlatformNotFound', { subject: platforms.join(', ') });
  const kept: ReadonlySet<string> = new Set(images.map((image) => image.digest));
  return children.filter(
    (child) =>
      kept.has(child.digest) ||
      (isAttestation(child) && kept.has(child.annotations?.[describedDigest] ?? '')),
  );
}

/** The bytes of an index with only these children: a new manifest, with a new digest. */
export function rewriteIndex(bytes: Uint8Array, keep: readonly Descriptor[]): Uint8Array {
  const body = parseStrictJson(bytes, { code: 'InvalidManifest' });
  const manifests = isJsonObject(body) ? body['manifests'] : undefined;
  if (!isJsonObject(body) || !isJsonArray(manifests)) throw new Failure('InvalidManifest');
  const kept: ReadonlySet<string> = new Set(keep.map((child) => child.digest));
  const isKept = (entry: JsonValue): boolean =>
    isJsonObject(entry) && typeof entry['digest'] === 'string' && kept.has(entry['digest']);
  return new TextEncoder().encode(JSON.stringify({ ...body, manifests: manifests.filter(isKept) }));
}
