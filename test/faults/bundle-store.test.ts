import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, afterEach, before, test } from 'node:test';
import { ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import { parseStatement } from '../../domain/bundle/parse-statement.ts';
import { asFailure, Failure } from '../../domain/failure.ts';
import { parseSiteName } from '../../domain/names/kubernetes-name.ts';
import { parseEnvelope } from '../../domain/trust/envelope.ts';
import { fetchBundle } from '../../infra/bundle/fetch-bundle.ts';
import { moveBlob } from '../../infra/copy/move-blob.ts';
import { openBundleMedium } from '../../infra/layout/open-medium.ts';
import { BlobPool, poolKey } from '../../infra/storage/blob-pool.ts';
import { BundleShelf } from '../../infra/storage/bundle-shelf.ts';
import type { NameClaims } from '../../infra/storage/name-claims.ts';
import { ObjectStore } from '../../infra/storage/object-store.ts';
import { usualPartBytes } from '../../infra/storage/part-size.ts';
import { checkStore } from '../../infra/storage/store-check.ts';
import { openLyingStore, s3Error, type LyingStore } from '../support/lying-store.ts';
import { codeOf, rejection } from '../support/refusal.ts';
import { pushSample, randomBlob, sampleImage, type SampleBlob } from '../support/sample-image.ts';
import { rootOf } from '../support/signed-samples.ts';
import { StageScene } from '../support/stage-scene.ts';

let [scene, lying] = [] as unknown as [StageScene, LyingStore];
before(async () => {
  scene = await StageScene.open();
  lying = await openLyingStore(scene.s3);
  const image = sampleImage([randomBlob(300_000), randomBlob(200_000), randomBlob(100_000)]);
  await pushSample(scene.store('apps/one'), image.blobs, [image.manifest], 'v1');
});
afterEach(() => {
  lying.lie = () => undefined;
});
after(async () => {
  await lying.close();
  await scene.close();
});

let count = 0;
/** A new site that gets the image, staged through the lies; the name, and what was published. */
async function stage(): Promise<ReturnType<typeof parseStatement>> {
  const name = `plant-${(count += 1)}`;
  await scene.site(name);
  await scene.repository(name, { sites: [name], repository: 'apps/one' });
  const { sequence } = await scene.stage({ site: name, kind: 'full' }, scene.deps(lying.store));
  const bytes = await new BundleShelf(scene.s3.store).manifest(parseSiteName(name), sequence);
  return parseStatement(parseEnvelope(bytes ?? new Uint8Array()));
}

/** The pool without the image's content, so that the next staging writes it all. */
async function forget(): Promise<void> {
  for await (const { key } of scene.s3.store.list('blobs/')) await scene.s3.store.delete(key);
}

async function checkWhole({ blobs }: ReturnType<typeof parseStatement>): Promise<void> {
  for (const { digest, size } of blobs) {
    assert.equal((await scene.s3.store.head(poolKey(digest)))?.size, size);
  }
}

const sourceOf = ({ bytes }: SampleBlob) => ({
  label: 'memory',
  key: 'memory',
  async readBlob(_blob: object, from: number, sink: (chunk: Uint8Array) => Promise<void> | undefined) {
    for (let at = from; at < bytes.byteLength; at += 1 << 20) await sink(bytes.subarray(at, at + (1 << 20)));
  },
});

test('K02 every fifth answer is 503 SlowDown: the bundle is complete, with few requests', async () => {
  await forget();
  let asked = 0;
  lying.lie = () => ((asked += 1) % 5 === 0 ? { answer: 503, body: s3Error('SlowDown') } : undefined);
  lying.seen.length = 0;
  await checkWhole(await stage());
  const busy = lying.seen.length;
  lying.lie = () => undefined;
  await forget();
  lying.seen.length = 0;
  await stage();
  assert.ok(busy <= lying.seen.length * 2, `${busy} requests instead of ${lying.seen.length}`);
});

test('K10 answers of writes that arrived get lost: no number is skipped, no bundle is signed twice', async () => {
  await forget();
  const lost = new Set<string>();
  lying.lie = ({ method, key }) => {
    if (method !== 'PUT' || lost.has(key)) return undefined;
    lost.add(key);
    return 'lose the answer';
  };
  const statement = await stage();
  assert.equal(statement.sequence, 1);
  await checkWhole(statement);
  assert.ok(lost.has(`sites/${statement.site}/1/manifest.dsse.json`), [...lost].join(' '));
});

test('K03 CompleteMultipartUpload answers 200 with an error inside: the blob does not count as there', async () => {
  const blob = randomBlob(usualPartBytes + 10);
  let told = 0;
  lying.lie = ({ method, query }) => {
    if (method !== 'POST' || !query.has('uploadId')) return undefined;
    told += 1;
    return told === 1 ? { answer: 200, body: s3Error('InternalError') } : undefined;
  };
  const pool = new BlobPool(lying.store);
  await moveBlob(sourceOf(blob), pool, blob.descriptor);
  assert.ok(told >= 2);
  assert.equal(await new BlobPool(scene.s3.store).proveBlob(blob.descriptor), true);
  await scene.s3.store.delete(poolKey(blob.descriptor.digest));
});

test('a store that says yes to a layer and keeps nothing: no bundle is signed, and the next staging is whole', async () => {
  await forget();
  lying.lie = ({ method, key, headers }) =>
    method === 'PUT' && key.startsWith('blobs/') && Number(headers['content-length']) > 50_000
      ? { answer: 200 }
      : undefined;
  await rejection('BundleIncomplete', stage());
  const published = await new BundleShelf(scene.s3.store).sequences(parseSiteName(`plant-${count}`));
  assert.ok([...published.values()].every((files) => !files.includes('manifest.dsse.json')));
  lying.lie = () => undefined;
  await checkWhole(await stage());
});

test('K05 no ETag is asked what it is worth: a store without any serves as well', async () => {
  await forget();
  lying.lie = () => 'leave out the ETag';
  await checkWhole(await stage());
});

test('K06 a store that knows no checksums of the newer kind is not asked for any', async () => {
  await forget();
  lying.lie = ({ headers }) =>
    Object.keys(headers).some((name) => /^x-amz-(checksum|sdk-checksum|trailer)/.test(name))
      ? { answer: 501, body: s3Error('NotImplemented') }
      : undefined;
  await checkWhole(await stage());
});

test('K08 a clock that is an hour off is corrected once; one that stays off is a coded failure', async () => {
  const hour = 3_600_000;
  let refused = 0;
  lying.lie = ({ headers }) => {
    const sent = String(headers['x-amz-date']).replace(/(....)(..)(..)T(..)(..)(..)Z/, '$1-$2-$3T$4:$5:$6Z');
    const isSkewed = Math.abs(Date.parse(sent) - (Date.now() + hour)) > 60_000;
    if (!isSkewed) return { answer: 200 };
    refused += 1;
    const date = new Date(Date.now() + hour).toUTCString();
    return { answer: 403, body: s3Error('RequestTimeTooSkewed'), headers: { date } };
  };
  const { endpoint } = lying;
  const [store, other] = [0, 1].map(
    () => new ObjectStore({ endpoint, region: 'us-east-1', bucket: 'imageferry' }),
  );
  assert.ok(store !== undefined && other !== undefined);
  await store.write('skewed', Buffer.from('x'));
  assert.equal(refused, 1);
  lying.lie = () => ({ answer: 403, body: s3Error('RequestTimeTooSkewed') });
  await rejection('ClockSkew', other.write('skewed', Buffer.from('x')));
  store.close();
  other.close();
});

for (const lie of ['cut the body', 'shorten the body', 'flip a bit'] as const) {
  test(`a store that reads with a lie (${lie}) makes no wrong bundle at the carrier`, async () => {
    const statement = await stage();
    const told = new Map<string, number>();
    lying.lie = ({ method, key }) => {
      if (method !== 'GET' || !key.startsWith('blobs/')) return undefined;
      told.set(key, (told.get(key) ?? 0) + 1);
      // A broken read goes on at the next byte; a flipped bit is refused, and the next fetch brings the blob anew.
      return told.get(key) === 1 ? lie : undefined;
    };
    const shelf = new BundleShelf(lying.store);
    const { site, sequence } = statement;
    const to = `/tmp/imageferry-lies-${process.pid}-${site}`;
    const origin = {
      manifest: shelf.manifest.bind(shelf),
      root: async (version: number) => (await shelf.roots()).find((each) => each.version === version)?.bytes,
      blob: ({ digest }: { readonly digest: Parameters<typeof poolKey>[0] }, from: number) =>
        lying.store.stream(poolKey(digest), from),
    };
    try {
      const fetched = fetchBundle(origin, { site, sequence, trust: rootOf(1, [scene.signer]), to });
      if (lie === 'flip a bit') {
        await rejection('DigestMismatch', fetched);
        await fetchBundle(origin, { site, sequence, trust: rootOf(1, [scene.signer]), to });
      } else {
        await fetched;
      }
      await (await openBundleMedium(to)).close();
    } finally {
      for (const path of [to, `${to}.partial`]) rmSync(path, { recursive: true, force: true });
    }
  });
}

test('K10 a stale list shows an older state: two stagings still never share a number', async () => {
  const name = 'stale';
  await scene.site(name);
  await scene.repository(name, { sites: [name], repository: 'apps/one' });
  lying.lie = ({ method, query }) =>
    method === 'GET' && query.has('list-type') ? 'answer as before' : undefined;
  const sequences = [];
  for (let round = 0; round < 3; round += 1) {
    sequences.push((await scene.stage({ site: name, kind: 'full' }, scene.deps(lying.store))).sequence);
  }
  assert.deepEqual(sequences, [1, 2, 3]);
});

test('K11 a store that ignores If-None-Match is found out; Leases say who was first, or nothing is staged', async () => {
  lying.lie = ({ headers }) => (headers['if-none-match'] === undefined ? undefined : 'ignore the condition');
  assert.equal((await checkStore(lying.store)).createOnly, false);
  const site = parseSiteName('old-store');
  await rejection('StorageUnsafe', new BundleShelf(lying.store).takeSequence(site, 1, {}));
  const leases = new Map<string, string>();
  const claims: NameClaims = {
    claim: async (key, value) => {
      if (!leases.has(key)) leases.set(key, value);
      return leases.get(key) === value;
    },
  };
  const shelves = Array.from({ length: 6 }, () => new BundleShelf(lying.store, claims));
  const taken = await Promise.all(shelves.map((shelf, racer) => shelf.takeSequence(site, 1, { racer })));
  assert.equal(taken.filter(Boolean).length, 1);
  const index = Buffer.from('{}');
  const outcomes = await Promise.allSettled(
    shelves.map((shelf, racer) => shelf.publish(site, 1, { index, manifest: Buffer.from(`m${racer % 2}`) })),
  );
  const won = new Set(outcomes.flatMap(({ status }, racer) => (status === 'fulfilled' ? [racer % 2] : [])));
  assert.equal(won.size, 1, 'one manifest has the number');
});

test('K15 a full store is a coded failure, and no part stays behind', async () => {
  const blob = randomBlob(usualPartBytes + 10);
  lying.lie = ({ method, query }) =>
    method === 'PUT' && query.get('partNumber') === '2'
      ? { answer: 403, body: s3Error('QuotaExceeded') }
      : undefined;
  await rejection('QuotaExceeded', moveBlob(sourceOf(blob), new BlobPool(lying.store), blob.descriptor));
  const { client, bucket } = scene.s3.store;
  const left = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
  assert.deepEqual(left.Uploads ?? [], []);
});

test('K18 a bucket that strangers may read, and http to another machine, are named', async () => {
  lying.lie = ({ headers }) => (headers.authorization === undefined ? { answer: 200 } : undefined);
  assert.deepEqual((await checkStore(lying.store)).warnings, [
    'Anyone may list the bucket',
    'Anyone may read the bucket',
  ]);
  lying.lie = () => undefined;
  assert.deepEqual((await checkStore(lying.store)).warnings, []);
  const far = { endpoint: 'http://s3.example', region: 'us-east-1', bucket: 'b' };
  assert.equal(
    codeOf(() => new ObjectStore(far)),
    'StorageUnsafe',
  );
  new ObjectStore({ ...far, allowHttp: true }).close();
  new ObjectStore({ ...far, endpoint: 'https://s3.example' }).close();
});

for (const [what, answer, code, says] of [
  [
    'a bucket that is not there',
    { answer: 404, body: s3Error('NoSuchBucket') },
    'StorageUnavailable',
    /no such bucket/,
  ],
  [
    'a session that has ended',
    { answer: 400, body: s3Error('ExpiredToken') },
    'Unauthorized',
    /session token/,
  ],
  ['a refusal without a word', { answer: 403 }, 'Forbidden', /HTTP 403/],
] as const) {
  test(`${what} is said to be that, and no object that is not there`, async () => {
    lying.lie = () => answer;
    const failure = await new BundleShelf(lying.store).manifest(parseSiteName('plant-1'), 1).catch(asFailure);
    assert.ok(failure instanceof Failure, 'it was answered');
    assert.equal(failure.code, code);
    assert.match(failure.message, says);
  });
}
