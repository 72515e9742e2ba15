import { Failure } from '../failure.ts';
import { parseDigest } from '../names/digest.ts';
import type { Descriptor, Platform } from './descriptor.ts';
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from './strict-json.ts';

const mediaTypePattern = /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$/;

/**
 * Parses a content descriptor (OCI image spec, descriptor.md). `where` names it in messages. Throws `InvalidManifest`,
 * `InvalidDigest` or `UnsupportedDigestAlgorithm`. Whether `data` hashes to the digest is the caller's to check.
 */
export function parseDescriptor(value: JsonValue | undefined, where: string): Descriptor {
  const refuse = (detail: string): never => {
    throw new Failure('InvalidManifest', { detail: `${where}: ${detail}` });
  };
  if (!isJsonObject(value)) return refuse('not a descriptor');
  const { mediaType, digest, size } = value;
  if (typeof mediaType !== 'string' || !mediaTypePattern.test(mediaType)) return refuse('no valid mediaType');
  if (typeof digest !== 'string') return refuse('no digest');
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) return refuse('no valid size');
  return { mediaType, digest: parseDigest(digest), size, ...optionalFields(value, size, refuse) };
}

/** Parses a map of strings to strings; undefined where there is none. */
export function parseAnnotations(
  value: JsonValue | undefined,
  refuse: (detail: string) => never,
): Readonly<Record<string, string>> | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isJsonObject(value)) return refuse('annotations are not a map');
  const entries = Object.entries(value).map(([key, text]): [string, string] =>
    typeof text === 'string' ? [key, text] : refuse('an annotation is not a string'),
  );
  return Object.fromEntries(entries);
}

type Optional = Pick<Descriptor, 'platform' | 'artifactType' | 'annotations' | 'urls' | 'data'>;

function optionalFields(value: JsonObject, size: number, refuse: (detail: string) => never): Optional {
  const { artifactType } = value;
  if (artifactType !== undefined && typeof artifactType !== 'string')
    return refuse('artifactType is not a string');
  const annotations = parseAnnotations(value['annotations'], refuse);
  const platform = parsePlatformObject(value['platform'], refuse);
  const urls = parseUrls(value['urls'], refuse);
  const data = parseData(value['data'], size, refuse);
  return {
    ...(artifactType === undefined || artifactType === '' ? {} : { artifactType }),
    ...(annotations === undefined ? {} : { annotations }),
    ...(platform === undefined ? {} : { platform }),
    ...(urls === undefined ? {} : { urls }),
    ...(data === undefined ? {} : { data }),
  };
}

/** A field that is left out reads as empty: it is copied as it is and matches no wish. */
function parsePlatformObject(
  value: JsonValue | undefined,
  refuse: (detail: string) => never,
): Platform | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isJsonObject(value)) return refuse('platform is not an object');
  const text = (key: string): string | undefined => {
    const field = value[key];
    if (field === undefined || field === null) return undefined;
    return typeof field === 'string' ? field : refuse(`platform.${key} is not a string`);
  };
  const [variant, osVersion] = [text('variant'), text('os.version')];
  return {
    architecture: text('architecture') ?? '',
    os: text('os') ?? '',
    ...(variant === undefined || variant === '' ? {} : { variant }),
    ...(osVersion === undefined || osVersion === '' ? {} : { osVersion }),
  };
}

function parseUrls(
  value: JsonValue | undefined,
  refuse: (detail: string) => never,
): readonly string[] | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isJsonArray(value) || value.length > 100) return refuse('urls is not a short list');
  return value.map((url) => (typeof url === 'string' ? url : refuse('an url is not a string')));
}

function parseData(
  value: JsonValue | undefined,
  size: number,
  refuse: (detail: string) => never,
): Uint8Array | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string' || !/^[A-Za-z0-9+/]*={0,2}$/.test(value) || value.length % 4 !== 0) {
    return refuse('data is not base64');
  }
  const bytes = Uint8Array.from(atob(value), (char) => char.charCodeAt(0));
  return bytes.byteLength === size ? bytes : refuse('data does not have the given size');
}
