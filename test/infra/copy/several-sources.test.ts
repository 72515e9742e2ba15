import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure, type FailureCode } from '../../../domain/failure.ts';
import type { Descriptor } from '../../../domain/image/descriptor.ts';
import { parseDigest, type Digest } from '../../../domain/names/digest.ts';
import type { ContentSource } from '../../../infra/copy/content.ts';
import { moveBlob } from '../../../infra/copy/move-blob.ts';
import { SeveralSources } from '../../../infra/copy/several-sources.ts';
import { randomBlob, sampleImage } from '../../support/sample-image.ts';
import { rejection } from '../../support/refusal.ts';

const layer = randomBlob(300_000);
const image = sampleImage([layer]);
const blobs = new Map([...image.blobs].map(({ descriptor, bytes }) => [descriptor.digest, bytes]));
const attachment: Descriptor = { ...layer.descriptor, digest: parseDigest(`sha256:${'a'.repeat(64)}`) };

/** How a source misbehaves: it fails from a byte on, or lies about one. */
interface Manners {
  readonly fails?: FailureCode;
  /** Bytes that it gives before it fails. Default: 0. */
  readonly after?: number;
  readonly lies?: boolean;
  /** Ends early as if all was well. */
  readonly stops?: boolean;
}

class SampleSource implements ContentSource {
  readonly label: string;
  readonly key: string;
  readonly asked: string[] = [];
  readonly #manners: Manners;

  constructor(name: string, manners: Manners) {
    this.label = name;
    this.key = name;
    this.#manners = manners;
  }

  async resolve(): Promise<undefined> {
    return undefined;
  }

  async readManifest(digest: Digest) {
    this.asked.push('manifest');
    if (this.#manners.fails !== undefined) throw new Failure(this.#manners.fails, { subject: digest });
    return image.manifest;
  }

  async readBlob(
    { digest }: Descriptor,
    from: number,
    sink: (chunk: Uint8Array) => Promise<void> | undefined,
  ) {
    this.asked.push(`blob from ${from}`);
    const { fails, after = 0, lies, stops } = this.#manners;
    const bytes = Buffer.from(blobs.get(digest) ?? []);
    if (lies === true) bytes[10] = (bytes[10] ?? 0) ^ 1;
    const end = fails === undefined && stops !== true ? bytes.byteLength : after;
    for (let at = from; at < end; at += 65_536) await sink(bytes.subarray(at, Math.min(end, at + 65_536)));
    if (fails !== undefined) throw new Failure(fails, { subject: digest });
  }

  async referrers() {
    this.asked.push('referrers');
    if (this.#manners.fails !== undefined) throw new Failure(this.#manners.fails);
    return [attachment];
  }
}

/** Takes one blob, as a registry that believes its client. */
function target() {
  const chunks: Buffer[] = [];
  const upload = {
    offset: 0,
    async write(chunk: Uint8Array) {
      chunks.push(Buffer.from(chunk));
    },
    commit: async () => {},
    abandon: async () => void chunks.splice(0),
  };
  const store = { label: 't', key: 't', hasBlob: async () => false, openUpload: async () => upload };
  return { store, bytes: () => Buffer.concat(chunks) };
}

const cases: readonly (readonly [string, Manners, Manners, 'pool' | 'upstream' | 'both'])[] = [
  ['the pool has all', {}, { fails: 'Unauthorized' }, 'pool'],
  ['the pool lacks it', { fails: 'SourceIncomplete' }, {}, 'upstream'],
  ['the pool is away', { fails: 'StorageUnavailable' }, {}, 'upstream'],
  ['the pool breaks off', { fails: 'NetworkError', after: 131_072 }, {}, 'both'],
  ['the pool ends early', { stops: true, after: 100_000 }, {}, 'both'],
  ['the pool holds other bytes', { lies: true }, {}, 'both'],
  ['upstream is away and the pool is not', {}, { fails: 'NetworkError' }, 'pool'],
];
for (const [name, poolManners, upstreamManners, served] of cases) {
  test(`auto: every byte arrives, and is right, where ${name}`, async () => {
    const pool = new SampleSource('pool', poolManners);
    const sources = new SeveralSources({ pool, upstream: new SampleSource('upstream', upstreamManners) });
    const { store, bytes } = target();
    await moveBlob(sources, store, layer.descriptor);
    assert.ok(bytes().equals(layer.bytes), 'other bytes arrived');
    assert.equal(sources.servedBy, served);
  });
}

test('a blob that breaks off in the pool goes on upstream at its next byte', async () => {
  const upstream = new SampleSource('upstream', {});
  const pool = new SampleSource('pool', { fails: 'NetworkError', after: 131_072 });
  const { store } = target();
  await moveBlob(new SeveralSources({ pool, upstream }), store, layer.descriptor);
  assert.deepEqual(upstream.asked, ['blob from 131072']);
});

test('a source that is away is asked last for the rest of the copy', async () => {
  const [pool, upstream] = [
    new SampleSource('pool', { fails: 'StorageUnavailable' }),
    new SampleSource('upstream', {}),
  ];
  const sources = new SeveralSources({ pool, upstream });
  await sources.readManifest(image.manifest.descriptor.digest);
  await moveBlob(sources, target().store, layer.descriptor);
  assert.deepEqual(pool.asked, ['manifest']);
});

test('what is attached is asked of upstream, and of the pool where upstream does not answer', async () => {
  const { digest } = image.manifest.descriptor;
  const pool = new SampleSource('pool', {});
  const both = new SeveralSources({ pool, upstream: new SampleSource('upstream', {}) });
  await both.referrers(digest);
  assert.deepEqual(pool.asked, []);
  const cut = new SeveralSources({ pool, upstream: new SampleSource('upstream', { fails: 'Unauthorized' }) });
  assert.deepEqual(await cut.referrers(digest), [attachment]);
});

test('where no source has it, the failure that may pass is told, so that it is tried again', async () => {
  const pool = new SampleSource('pool', { fails: 'StorageUnavailable' });
  const upstream = new SampleSource('upstream', { fails: 'ManifestNotFound' });
  const sources = new SeveralSources({ pool, upstream });
  await rejection('StorageUnavailable', sources.readManifest(image.manifest.descriptor.digest));
});
