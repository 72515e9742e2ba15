import { digestOf, type HeldManifest } from '../misbehaving-registry/content.ts';
import { sampleImage, sampleIndex, type SampleImage } from '../misbehaving-registry/images.ts';

/** Random numbers that come the same for a seed (Lehmer). */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = (Math.abs(seed) % 2_147_483_646) + 1;
  }

  below(limit: number): number {
    this.#state = (this.#state * 48_271) % 2_147_483_647;
    return this.#state % limit;
  }

  pick<T>(list: readonly [T, ...T[]]): T {
    return list[this.below(list.length)] ?? list[0];
  }
}

const hostileValues: readonly [unknown, ...unknown[]] = [
  null,
  true,
  -1,
  0,
  1.5,
  2 ** 53,
  1e300,
  '',
  'x',
  '../..',
  'sha256:',
  `sha256:${'0'.repeat(64)}`,
  `sha512:${'0'.repeat(128)}`,
  'a\u0000b',
  'é\ud83d',
  [],
  [null],
  [[]],
  {},
  { digest: 'x' },
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.v1+json',
  'x'.repeat(70_000),
];
const hostileKeys: readonly [string, ...string[]] = [
  '__proto__',
  'constructor',
  'config',
  'layers',
  'manifests',
  'subject',
  'digest',
  'size',
  'mediaType',
  'urls',
  'data',
  'platform',
  'schemaVersion',
  '',
];
const types: readonly [string, ...string[]] = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/json',
  'text/html',
  'application/vnd.oci.image.manifest.v1+json; charset=utf-8',
  'a/b',
];
const pieces: readonly [string, ...string[]] = [
  '"',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '\\',
  '\u0000',
  '\ufeff',
  '0',
  '-',
  '1e999',
  'null',
  '"size":',
  '{}',
  '\u007f',
  'ÿ',
];

/** An image or index whose manifest was tampered with, in one of many ways; a few are left as they are. */
export function hostileImage(seed: number): SampleImage {
  const dice = new Dice(seed);
  const image =
    dice.below(3) === 0
      ? sampleIndex([sampleImage(`h${seed % 7}`, [50]), sampleImage('h', [60])])
      : sampleImage(`h${seed % 11}`, [50, 0, 70]);
  const text = image.manifest.bytes.toString();
  const way = dice.below(8);
  const tampered =
    way < 4
      ? tamperTree(text, dice)
      : way < 6
        ? tamperText(text, dice)
        : way === 6
          ? tamperBytes(text, dice)
          : text;
  const bytes = typeof tampered === 'string' ? Buffer.from(tampered) : tampered;
  const mediaType = dice.below(6) === 0 ? dice.pick(types) : image.manifest.mediaType;
  const manifest: HeldManifest = { bytes, mediaType };
  return {
    ...image,
    digest: digestOf(bytes),
    manifest,
    manifests: [...image.manifests.slice(0, -1), manifest],
  };
}

function tamperTree(text: string, dice: Dice): string {
  const root = JSON.parse(text) as Record<string, unknown>;
  for (let edits = 1 + dice.below(2); edits > 0; edits -= 1) {
    const nodes = nodesOf(root);
    const node = nodes[dice.below(nodes.length)] ?? root;
    const keys = Object.keys(node);
    const key =
      dice.below(4) === 0 ? dice.pick(hostileKeys) : (keys[dice.below(Math.max(1, keys.length))] ?? 'x');
    if (dice.below(6) === 0) delete node[key];
    else
      Object.defineProperty(node, key, {
        value: structuredClone(dice.pick(hostileValues)),
        enumerable: true,
        configurable: true,
        writable: true,
      });
  }
  return JSON.stringify(root);
}

function nodesOf(value: unknown): Record<string, unknown>[] {
  if (typeof value !== 'object' || value === null) return [];
  return [value as Record<string, unknown>, ...Object.values(value).flatMap(nodesOf)];
}

function tamperText(text: string, dice: Dice): string {
  let result = text;
  for (let edits = 1 + dice.below(3); edits > 0; edits -= 1) {
    const at = dice.below(result.length + 1);
    const piece = dice.below(4) === 0 ? result.slice(at, at + dice.below(60)) : dice.pick(pieces);
    result = result.slice(0, at) + piece + result.slice(at + dice.below(4));
  }
  return result;
}

function tamperBytes(text: string, dice: Dice): Buffer {
  const bytes = Buffer.from(text);
  for (let edits = 1 + dice.below(3); edits > 0; edits -= 1)
    bytes[dice.below(bytes.byteLength)] = dice.below(256);
  return dice.below(3) === 0 ? bytes.subarray(0, dice.below(bytes.byteLength)) : bytes;
}
