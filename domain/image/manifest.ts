import { Failure, type FailureCode } from '../failure.ts';
import { printable, type Digest } from '../names/digest.ts';
import type { Descriptor } from './descriptor.ts';
import { parseAnnotations, parseDescriptor } from './parse-descriptor.ts';
import {
  bareMediaType,
  isIndexMediaType,
  isManifestMediaType,
  isRetiredMediaType,
  type ManifestMediaType,
} from './media-types.ts';
import { isJsonArray, isJsonObject, parseStrictJson, type JsonObject } from './strict-json.ts';

/** Bytes that a manifest may have (OCI distribution spec, "Pushing Manifests"). */
export const maxManifestBytes: number = 4 * 1024 * 1024;
/** Entries that one manifest may list. */
export const maxManifestEntries = 10_000;

/** What a manifest says about its graph. The verbatim bytes stay with the caller: they alone are stored and hashed. */
export interface Manifest {
  readonly kind: 'image' | 'index';
  readonly mediaType: ManifestMediaType;
  /** Only of an image. */
  readonly config?: Descriptor;
  /** Of an image, in order, repetitions included. Empty for an index. */
  readonly layers: readonly Descriptor[];
  /** Every blob once: config and layers, or entries of an index that are no manifests (build caches have such). */
  readonly blobs: readonly Descriptor[];
  /** Manifests that an index lists, every digest once. Empty for an image. */
  readonly children: readonly Descriptor[];
  /** What this manifest refers to (signatures, SBOMs); need not exist. */
  readonly subject?: Descriptor;
  /** `artifactType`, or an image's config type where it has none (OCI distribution spec, "Listing Referrers"). */
  readonly artifactType?: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/** A manifest as it came over the wire or out of a layout. */
export interface ManifestSource {
  readonly bytes: Uint8Array;
  /** `Content-Type`, or the media type of the descriptor that led here. Default: the body's own `mediaType` decides. */
  readonly contentType?: string;
  /** Digest or reference, for messages. Default: none. */
  readonly subject?: string;
}

/**
 * Parses a manifest strictly and within bounds. Throws `ManifestTooLarge`, `InvalidManifest`, `MediaTypeMismatch`,
 * `AmbiguousManifest` (CVE-2021-41190), `UnsupportedMediaType`, `InvalidDigest` or `UnsupportedDigestAlgorithm`.
 */
export function parseManifest(source: ManifestSource): Manifest {
  const refuse = (code: FailureCode, detail: string): never => {
    throw new Failure(code, { detail, ...(source.subject === undefined ? {} : { subject: source.subject }) });
  };
  if (source.bytes.byteLength > maxManifestBytes)
    refuse('ManifestTooLarge', `${source.bytes.byteLength} bytes`);
  const body = parseStrictJson(source.bytes, {
    code: 'InvalidManifest',
    maxBytes: maxManifestBytes,
    ...(source.subject === undefined ? {} : { subject: source.subject }),
  });
  if (!isJsonObject(body)) return refuse('InvalidManifest', 'not an object');
  const mediaType = decideMediaType(body, source.contentType, refuse);
  const kind = isIndexMediaType(mediaType) ? 'index' : 'image';
  refuseBothKinds(body, kind, refuse);
  if (body['schemaVersion'] !== 2) refuse('InvalidManifest', 'schemaVersion is not 2');
  return {
    kind,
    mediaType,
    ...extras(body, refuse),
    ...(kind === 'index' ? indexOf(body, refuse) : imageOf(body, refuse)),
  };
}

/** True for a layer that lives at other addresses (foreign, non-distributable) and may not be in the registry at all. */
export function isForeign(descriptor: Descriptor): boolean {
  return (descriptor.urls ?? []).length > 0;
}

type Refuse = (code: FailureCode, detail: string) => never;

function decideMediaType(
  body: JsonObject,
  contentType: string | undefined,
  refuse: Refuse,
): ManifestMediaType {
  const own = body['mediaType'];
  if (own !== undefined && typeof own !== 'string')
    return refuse('InvalidManifest', 'mediaType is not a string');
  const told = contentType === undefined || contentType === '' ? undefined : bareMediaType(contentType);
  if (body['schemaVersion'] === 1 || body['fsLayers'] !== undefined) {
    return refuse('UnsupportedMediaType', 'Docker schema 1; push the image again with a current tool');
  }
  if (own !== undefined && told !== undefined && own !== told) {
    return refuse('MediaTypeMismatch', `${printable(told)} announced, ${printable(own)} inside`);
  }
  const decided = own ?? told ?? '';
  if (isRetiredMediaType(decided) || !isManifestMediaType(decided)) {
    return refuse('UnsupportedMediaType', decided === '' ? 'no media type' : printable(decided));
  }
  return decided;
}

function refuseBothKinds(body: JsonObject, kind: 'image' | 'index', refuse: Refuse): void {
  const foreign = kind === 'index' ? ['layers', 'config', 'fsLayers'] : ['manifests', 'fsLayers'];
  const found = foreign.find((key) => body[key] !== undefined && body[key] !== null);
  if (found !== undefined) refuse('AmbiguousManifest', `${kind} with ${found}`);
}

function extras(
  body: JsonObject,
  refuse: Refuse,
): Pick<Manifest, 'subject' | 'artifactType' | 'annotations'> {
  const { subject, artifactType, config } = body;
  if (artifactType !== undefined && typeof artifactType !== 'string') {
    return refuse('InvalidManifest', 'artifactType is not a string');
  }
  const configType =
    isJsonObject(config) && typeof config['mediaType'] === 'string' ? config['mediaType'] : undefined;
  const type = artifactType === undefined || artifactType === '' ? configType : artifactType;
  return {
    annotations: parseAnnotations(body['annotations'], (detail) => refuse('InvalidManifest', detail)) ?? {},
    ...(type === undefined ? {} : { artifactType: type }),
    ...(subject === undefined || subject === null ? {} : { subject: parseDescriptor(subject, 'subject') }),
  };
}

function imageOf(
  body: JsonObject,
  refuse: Refuse,
): Pick<Manifest, 'config' | 'layers' | 'blobs' | 'children'> {
  const config = parseDescriptor(body['config'], 'config');
  const layers = descriptors(body['layers'], 'layers', refuse);
  return { config, layers, blobs: unique([config, ...layers], refuse), children: [] };
}

function indexOf(body: JsonObject, refuse: Refuse): Pick<Manifest, 'layers' | 'blobs' | 'children'> {
  const entries = unique(descriptors(body['manifests'], 'manifests', refuse), refuse);
  const retired = entries.find((entry) => isRetiredMediaType(entry.mediaType));
  if (retired !== undefined) refuse('UnsupportedMediaType', printable(retired.mediaType));
  return {
    layers: [],
    children: entries.filter((entry) => isManifestMediaType(entry.mediaType)),
    blobs: entries.filter((entry) => !isManifestMediaType(entry.mediaType)),
  };
}

/** A list that is left out or null is empty: that is how Go programs write "no layers". */
function descriptors(
  value: JsonObject[string] | undefined,
  key: string,
  refuse: Refuse,
): readonly Descriptor[] {
  if (value === undefined || value === null) return [];
  if (!isJsonArray(value)) return refuse('InvalidManifest', `${key} is not a list`);
  if (value.length > maxManifestEntries)
    return refuse('InvalidManifest', `more than ${maxManifestEntries} ${key}`);
  return value.map((entry, index) => parseDescriptor(entry, `${key}[${index}]`));
}

/** Every digest once, in order. Refuses two sizes for one digest: one of them is a lie. */
function unique(list: readonly Descriptor[], refuse: Refuse): readonly Descriptor[] {
  const seen = new Map<Digest, Descriptor>();
  for (const descriptor of list) {
    const first = seen.get(descriptor.digest);
    if (first === undefined) seen.set(descriptor.digest, descriptor);
    else if (first.size !== descriptor.size) refuse('InvalidManifest', `two sizes for ${descriptor.digest}`);
  }
  return [...seen.values()];
}
