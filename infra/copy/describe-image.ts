import { humanSize } from '../../domain/human-size.ts';
import type { Descriptor } from '../../domain/image/descriptor.ts';
import { parseManifest, type Manifest } from '../../domain/image/manifest.ts';
import { isAttestation, matchesPlatform } from '../../domain/image/platform.ts';
import { isJsonObject, parseStrictJson, type JsonObject } from '../../domain/image/strict-json.ts';
import type { ManifestStatus } from '../../domain/resources/repository.ts';
import { collectBlob } from './collect-blob.ts';
import type { BlobSource, ManifestSource, StoreIdentity } from './content.ts';

const maxConfigBytes = 4 * 1024 * 1024;
const preferred = { os: 'linux', architecture: 'amd64' };

/** One platform's image in the words of `status.manifest`: `linux/amd64` where present, else the first. */
export async function describeImage(
  source: ManifestSource & BlobSource & StoreIdentity,
  root: Descriptor,
  signal?: AbortSignal,
): Promise<ManifestStatus> {
  const manifest = await imageOf(source, root, signal);
  const config =
    manifest.config === undefined ? undefined : await readConfig(source, manifest.config, signal);
  const text = (key: string): string => {
    const value = config?.[key];
    return typeof value === 'string' ? value : '';
  };
  const size = [...(manifest.config === undefined ? [] : [manifest.config]), ...manifest.layers].reduce(
    (sum, blob) => sum + blob.size,
    0,
  );
  // A config of another kind, or of a reproducible build, may say nothing; the manifest may (image-spec, annotations.md).
  const created = text('created') || (manifest.annotations['org.opencontainers.image.created'] ?? '');
  return {
    architecture: text('architecture'),
    os: text('os'),
    size: humanSize(size),
    ...(created === '' ? {} : { created }),
    layers: manifest.layers.map((layer) => ({ digest: layer.digest, size: String(layer.size) })),
  };
}

async function imageOf(
  source: ManifestSource,
  root: Descriptor,
  signal: AbortSignal | undefined,
  depth = 0,
): Promise<Manifest> {
  const stored = await source.readManifest(root.digest, signal);
  const manifest = parseManifest({
    bytes: stored.bytes,
    contentType: stored.descriptor.mediaType,
    subject: root.digest,
  });
  const children = manifest.children.filter((child) => !isAttestation(child));
  const wanted =
    children.find((child) => child.platform !== undefined && matchesPlatform(preferred, child.platform)) ??
    children[0];
  if (wanted === undefined || depth >= 8) return manifest;
  return imageOf(source, wanted, signal, depth + 1);
}

/** The image config; undefined for configs that are something else (artifacts). */
async function readConfig(
  source: BlobSource & StoreIdentity,
  config: Descriptor,
  signal: AbortSignal | undefined,
): Promise<JsonObject | undefined> {
  if (config.size > maxConfigBytes || !config.mediaType.includes('json')) return undefined;
  const bytes = await collectBlob(source, config, signal);
  try {
    const body = parseStrictJson(bytes, { code: 'InvalidManifest', maxBytes: maxConfigBytes });
    return isJsonObject(body) ? body : undefined;
  } catch {
    return undefined;
  }
}
