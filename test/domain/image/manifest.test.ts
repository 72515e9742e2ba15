import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  isForeign,
  maxManifestEntries,
  parseManifest,
  type Manifest,
} from '../../../domain/image/manifest.ts';
import { manifestMediaTypes as types } from '../../../domain/image/media-types.ts';
import { refusal } from '../../support/refusal.ts';
import type { FailureCode } from '../../../domain/failure.ts';

const digest = (letter: string): string => `sha256:${letter.repeat(64)}`;
const descriptor = (letter: string, more: object = {}): object => ({
  mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
  digest: digest(letter),
  size: 10,
  ...more,
});
const image = (more: object = {}): object => ({
  schemaVersion: 2,
  mediaType: types.ociManifest,
  config: descriptor('c', { mediaType: 'application/vnd.oci.image.config.v1+json' }),
  layers: [descriptor('1'), descriptor('2')],
  ...more,
});
const index = (manifests: unknown, more: object = {}): object => ({
  schemaVersion: 2,
  mediaType: types.ociIndex,
  manifests,
  ...more,
});
const child = (letter: string, more: object = {}): object =>
  descriptor(letter, { mediaType: types.ociManifest, ...more });
const parse = (body: unknown, contentType?: string): Manifest =>
  parseManifest({
    bytes: new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body)),
    ...(contentType === undefined ? {} : { contentType }),
  });

test('an image lists its config and layers, an index its children', () => {
  const parsed = parse(image());
  assert.deepEqual(
    parsed.blobs.map((blob) => blob.digest),
    [digest('c'), digest('1'), digest('2')],
  );
  assert.deepEqual([parsed.kind, parsed.children], ['image', []]);
  const list = parse(
    index([child('a', { platform: { os: 'linux', architecture: 'arm64', variant: 'v8' } })]),
  );
  assert.deepEqual(list.children[0]?.platform, { os: 'linux', architecture: 'arm64', variant: 'v8' });
  assert.deepEqual([list.kind, list.blobs], ['index', []]);
});

test('all four media types are understood, and the Content-Type may have parameters', () => {
  for (const type of [types.ociManifest, types.dockerManifest]) {
    assert.equal(parse(image({ mediaType: type }), `${type}; charset=utf-8`).mediaType, type);
  }
  for (const type of [types.ociIndex, types.dockerList]) {
    assert.equal(parse(index([], { mediaType: type }), type.toUpperCase()).mediaType, type);
  }
});

test('an OCI manifest without mediaType is what its Content-Type says', () => {
  assert.equal(parse(image({ mediaType: undefined }), types.ociManifest).mediaType, types.ociManifest);
  refusal('UnsupportedMediaType', () => parse(image({ mediaType: undefined })));
});

test('a null list is empty: Go programs write it so', () => {
  assert.deepEqual(parse(image({ layers: null })).layers, []);
  assert.deepEqual(parse(index(null)).children, []);
});

test('a digest that comes twice is moved once, and kept twice in the layer order', () => {
  const parsed = parse(image({ layers: [descriptor('1'), descriptor('1', { mediaType: 'application/x' })] }));
  assert.equal(parsed.layers.length, 2);
  assert.equal(parsed.blobs.length, 2);
});

test('entries of an index that are no manifests are blobs, as build caches have them', () => {
  const parsed = parse(
    index([
      descriptor('1'),
      child('a'),
      descriptor('2', { mediaType: 'application/vnd.buildkit.cacheconfig.v0' }),
    ]),
  );
  assert.deepEqual(
    parsed.blobs.map((blob) => blob.digest),
    [digest('1'), digest('2')],
  );
  assert.deepEqual(
    parsed.children.map((entry) => entry.digest),
    [digest('a')],
  );
});

test('subject, artifactType and annotations are read; the config type stands in for a missing artifactType', () => {
  const parsed = parse(
    image({ subject: child('5'), artifactType: 'application/x-sbom', annotations: { a: 'b' } }),
  );
  assert.equal(parsed.subject?.digest, digest('5'));
  assert.equal(parsed.artifactType, 'application/x-sbom');
  assert.deepEqual(parsed.annotations, { a: 'b' });
  assert.equal(parse(image()).artifactType, 'application/vnd.oci.image.config.v1+json');
});

test('a layer with urls is foreign', () => {
  const [, layer] = parse(
    image({ layers: [descriptor('1', { urls: ['https://elsewhere.example/x'] })] }),
  ).blobs;
  assert.ok(layer !== undefined && isForeign(layer));
});

test('embedded data of the right length is decoded', () => {
  const [config] = parse(image({ config: descriptor('c', { size: 2, data: 'e30=' }), layers: [] })).blobs;
  assert.deepEqual([...(config?.data ?? [])], [0x7b, 0x7d]);
});

const refused: readonly (readonly [what: string, body: unknown, code: FailureCode])[] = [
  ['an array', [], 'InvalidManifest'],
  ['schemaVersion 3', image({ schemaVersion: 3 }), 'InvalidManifest'],
  ['no schemaVersion', image({ schemaVersion: undefined }), 'InvalidManifest'],
  ['a mediaType that is a number', image({ mediaType: 7 }), 'InvalidManifest'],
  ['no config', image({ config: undefined }), 'InvalidManifest'],
  ['layers that are an object', image({ layers: {} }), 'InvalidManifest'],
  ['a layer that is a string', image({ layers: ['x'] }), 'InvalidManifest'],
  [
    'a layer without mediaType',
    image({ layers: [descriptor('1', { mediaType: undefined })] }),
    'InvalidManifest',
  ],
  [
    'a media type with a space',
    image({ layers: [descriptor('1', { mediaType: 'a/b c' })] }),
    'InvalidManifest',
  ],
  ['an annotation that is a number', image({ annotations: { a: 1 } }), 'InvalidManifest'],
  ['data that is not base64', image({ config: descriptor('c', { size: 1, data: '?' }) }), 'InvalidManifest'],
  [
    'data of another length',
    image({ config: descriptor('c', { size: 3, data: 'e30=' }) }),
    'InvalidManifest',
  ],
  ['urls that are numbers', image({ layers: [descriptor('1', { urls: [1] })] }), 'InvalidManifest'],
  ['a platform that is a string', index([child('a', { platform: 'linux' })]), 'InvalidManifest'],
  [
    'a variant that is a number',
    index([child('a', { platform: { os: 'l', architecture: 'a', variant: 8 } })]),
    'InvalidManifest',
  ],
  ['a subject without digest', image({ subject: { mediaType: 'a/b', size: 1 } }), 'InvalidManifest'],
  [
    'a child that is schema 1',
    index([child('a', { mediaType: 'application/vnd.docker.distribution.manifest.v1+json' })]),
    'UnsupportedMediaType',
  ],
  [
    'an OCI artifact manifest',
    { mediaType: 'application/vnd.oci.artifact.manifest.v1+json', blobs: [] },
    'UnsupportedMediaType',
  ],
  [
    'a md5 digest',
    image({ layers: [descriptor('1', { digest: `md5:${'a'.repeat(32)}` })] }),
    'UnsupportedDigestAlgorithm',
  ],
  [
    'too many layers',
    image({ layers: Array.from({ length: maxManifestEntries + 1 }, () => descriptor('1')) }),
    'InvalidManifest',
  ],
];

for (const [what, body, code] of refused) {
  test(`a manifest with ${what} is refused with ${code}`, () => {
    refusal(code, () => parse(body));
  });
}
