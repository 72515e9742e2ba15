import { Failure } from '../failure.ts';
import { parseDigest, printable, type Digest } from '../names/digest.ts';
import { utf8 } from '../trust/bytes.ts';
import type { Descriptor } from './descriptor.ts';
import { manifestMediaTypes } from './media-types.ts';
import { parseDescriptor } from './parse-descriptor.ts';
import {
  isJsonArray,
  isJsonObject,
  parseStrictJson,
  type JsonObject,
  type JsonValue,
} from './strict-json.ts';

/** One entry of a layout's `index.json` (OCI image spec, image-layout.md). */
export interface LayoutEntry extends Descriptor {
  /** Its `org.opencontainers.image.ref.name`. Default: it is found by its digest only. */
  readonly name?: string;
}

/** A layout's `index.json`, with everything that other tools wrote into it. */
export interface LayoutListing {
  readonly entries: readonly LayoutEntry[];
  readonly body: JsonObject;
}

/** Bytes of an `index.json` that are read; about 60,000 images. */
export const maxListingBytes = 16 * 1024 * 1024;

const nameKey = 'org.opencontainers.image.ref.name';

/** What a new layout lists. */
export const emptyListing: LayoutListing = {
  entries: [],
  body: { schemaVersion: 2, mediaType: manifestMediaTypes.ociIndex, manifests: [] },
};

/** Parses `index.json` strictly. Throws `InvalidManifest` or `InvalidDigest`. */
export function parseListing(bytes: Uint8Array): LayoutListing {
  const limits = { code: 'InvalidManifest', maxBytes: maxListingBytes, subject: 'index.json' } as const;
  const body = parseStrictJson(bytes, limits);
  if (!isJsonObject(body)) throw new Failure('InvalidManifest', { subject: 'index.json' });
  return { body, entries: rawEntries(body).map((raw, at) => entryOf(raw, `index.json[${at}]`)) };
}

/** The bytes of `index.json`. */
export function encodeListing(listing: LayoutListing): Uint8Array {
  return utf8(JSON.stringify(listing.body));
}

/** What a listing gains: an image under a name, or one that is found by its digest. */
export interface LayoutAddition {
  readonly descriptor: Descriptor;
  readonly name?: string;
}

/** The listing with one more image. A name moves to it; an image that is listed in any way needs no entry without one. */
export function withEntry(listing: LayoutListing, { descriptor, name }: LayoutAddition): LayoutListing {
  const { mediaType, digest, size } = descriptor;
  if (name === undefined && listing.entries.some((entry) => entry.digest === digest)) return listing;
  // The name replaces an entry of the same image without one: tools ask which of two is meant.
  const stays = listing.entries.map(
    (entry) =>
      name === undefined || (entry.name !== name && (entry.digest !== digest || entry.name !== undefined)),
  );
  const annotations = name === undefined ? {} : { annotations: { [nameKey]: name } };
  return {
    body: {
      ...listing.body,
      manifests: [
        ...rawEntries(listing.body).filter((_raw, at) => stays[at]),
        { mediaType, digest, size, ...annotations },
      ],
    },
    entries: [
      ...listing.entries.filter((_entry, at) => stays[at]),
      { mediaType, digest, size, ...annotations, ...(name === undefined ? {} : { name }) },
    ],
  };
}

/** The listing without a name; what it stood for stays where another entry lists it. */
export function withoutName(listing: LayoutListing, name: string): LayoutListing {
  const stays = listing.entries.map((entry) => entry.name !== name);
  return {
    body: { ...listing.body, manifests: rawEntries(listing.body).filter((_raw, at) => stays[at]) },
    entries: listing.entries.filter((_entry, at) => stays[at]),
  };
}

/** An image of a layout, as people write it. */
export interface LayoutReference {
  readonly folder: string;
  /** The name of its entry: usually a tag; a bundle's are `repository:tag`. Default: the only image. */
  readonly name?: string;
  readonly digest?: Digest;
}

/**
 * Parses what follows `oci:`, as skopeo writes it: `DIR[:name][@digest]`. The folder ends at the first colon. Throws
 * `InvalidRequest`.
 */
export function parseLayoutReference(text: string): LayoutReference {
  const at = /@sha(?:256|512):[0-9a-f]+$/.exec(text)?.index ?? text.length;
  const named = text.slice(0, at);
  const colon = named.indexOf(':');
  const folder = colon < 0 ? named : named.slice(0, colon);
  const name = colon < 0 ? undefined : named.slice(colon + 1);
  if (
    folder === '' ||
    name === '' ||
    (name !== undefined && !/^[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,511}$/.test(name))
  ) {
    throw new Failure('InvalidRequest', { subject: printable(`oci:${text}`), detail: 'write oci:DIR:TAG' });
  }
  return {
    folder,
    ...(name === undefined ? {} : { name }),
    ...(at === text.length ? {} : { digest: parseDigest(text.slice(at + 1)) }),
  };
}

function rawEntries(body: JsonObject): readonly JsonValue[] {
  const manifests = body['manifests'];
  if (manifests === undefined || manifests === null) return [];
  if (!isJsonArray(manifests))
    throw new Failure('InvalidManifest', { subject: 'index.json', detail: 'manifests' });
  return manifests;
}

function entryOf(raw: JsonValue, where: string): LayoutEntry {
  const descriptor = parseDescriptor(raw, where);
  const name = descriptor.annotations?.[nameKey];
  return name === undefined || name === '' ? descriptor : { ...descriptor, name };
}
