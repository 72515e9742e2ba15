import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { parseStatement } from '../../domain/bundle/parse-statement.ts';
import { parseSiteName } from '../../domain/names/kubernetes-name.ts';
import { parseEnvelope } from '../../domain/trust/envelope.ts';
import { collectBundles, type CollectReport } from '../../infra/bundle/collect-bundles.ts';
import { poolKey } from '../../infra/storage/blob-pool.ts';
import { BundleShelf } from '../../infra/storage/bundle-shelf.ts';
import { SharedFlights } from '../../infra/storage/shared-flights.ts';
import { openLyingStore, type LyingStore } from '../support/lying-store.ts';
import { codeOf, rejection } from '../support/refusal.ts';
import { pushSample, randomBlob, sampleImage } from '../support/sample-image.ts';
import { StageScene } from '../support/stage-scene.ts';

const day = 86_400_000;
let [scene, lying] = [] as unknown as [StageScene, LyingStore];
before(async () => {
  scene = await StageScene.open();
  lying = await openLyingStore(scene.s3);
  const image = sampleImage([randomBlob(3000), randomBlob(2000)]);
  await pushSample(scene.store('apps/one'), image.blobs, [image.manifest], 'v1');
  await scene.site('plant');
  await scene.repository('one', { sites: ['plant'], repository: 'apps/one' });
  await scene.stage({ site: 'plant', kind: 'full' });
});
afterEach(() => {
  lying.lie = () => undefined;
});
after(async () => {
  await lying.close();
  await scene.close();
});

/** A pass so many days from now, of a hub that sees the store through the lies. */
const pass = (days: number): Promise<CollectReport> =>
  collectBundles(new BundleShelf(lying.store), scene.cluster, { now: Date.now() + days * day });

async function isWhole(): Promise<boolean> {
  const bytes = await new BundleShelf(scene.s3.store).manifest(parseSiteName('plant'), 1);
  const { blobs } = parseStatement(parseEnvelope(bytes ?? new Uint8Array()));
  const there = await Promise.all(blobs.map(({ digest }) => scene.s3.store.head(poolKey(digest))));
  return there.every((object) => object !== undefined);
}

test('K01 a list that the store cut short, without a way to go on, is no list: nothing is swept by it', async () => {
  const cut = '<ListBucketResult><IsTruncated>true</IsTruncated><Name>imageferry</Name></ListBucketResult>';
  lying.lie = ({ query }) =>
    query.get('prefix')?.startsWith('sites/') === true ? { answer: 200, body: cut } : undefined;
  for (const days of [2, 4]) await rejection('StorageUnavailable', pass(days));
  assert.ok(await isWhole());
});

test('K01 what strangers leave below sites/ stops no pass', async () => {
  for (const key of [
    'sites/',
    'sites/.DS_Store',
    'sites/NOTES/read me.txt',
    'sites/plant/',
    'sites/plant/x/y',
  ])
    await scene.s3.store.write(key, Buffer.from('x'));
  assert.equal((await pass(2)).bundles, 0);
  assert.deepEqual(await new BundleShelf(scene.s3.store).sites(), ['plant']);
  assert.ok(await isWhole());
});

test('K01 marks that cannot be read are made anew, and delay a sweep by a day', async () => {
  const orphan = randomBlob(777);
  await scene.s3.store.write(poolKey(orphan.descriptor.digest), orphan.bytes);
  await scene.s3.store.write('retention/marks.json', Buffer.from('{"sha256:'));
  assert.equal((await pass(2)).blobs, 0);
  assert.ok((await pass(3.1)).blobs >= 1);
  assert.equal(await scene.s3.store.head(poolKey(orphan.descriptor.digest)), undefined);
  assert.ok(await isWhole());
});

test('a sweep that the others could count as dead stays ended when its line comes back', async () => {
  const flights = new SharedFlights(lying.store, { beatMs: 30, deadMs: 400 });
  const hears = async (): Promise<void> => {
    const seen = lying.seen.length;
    while (lying.seen.slice(seen).filter(({ method }) => method === 'PUT').length < 2) await pause(10);
  };
  await flights.alone('one-sweep', async (stillHeld) => {
    await hears();
    stillHeld();
    lying.lie = ({ method }) => (method === 'PUT' ? { answer: 403 } : undefined);
    await pause(500);
    lying.lie = () => undefined;
    await hears();
    assert.equal(codeOf(stillHeld), 'StorageUnavailable');
  });
});

test('who was counted as dead takes away no mark of the one who took over', async () => {
  const slow = new SharedFlights(lying.store, { beatMs: 30 });
  const other = new SharedFlights(scene.s3.store, { beatMs: 60_000, deadMs: 300, lookMs: 20 });
  const mark = async (): Promise<string> =>
    Buffer.from((await scene.s3.store.read('flights/taken', 1024)) ?? '')
      .toString('utf8')
      .slice(0, 36);
  const [took, end] = [Promise.withResolvers<string>(), Promise.withResolvers<void>()];
  let second: Promise<void> | undefined;
  let beaten: string | undefined;
  await slow.alone('taken', async () => {
    lying.lie = ({ method }) => (method === 'PUT' ? { answer: 403 } : undefined);
    second = other.alone('taken', async () => {
      took.resolve(await mark());
      await end.promise;
    });
    await took.promise;
    lying.lie = () => undefined;
    await pause(100);
    beaten = await mark();
  });
  const left = await mark();
  end.resolve();
  await second;
  assert.equal(beaten, await took.promise, 'no sign of life over that of another');
  assert.equal(left, await took.promise, 'its end is not the end of another');
  assert.equal(await mark(), '');
});

test('K01 a staging that takes a week over a slow line keeps what it brought first; one that died holds no sweep for ever', async () => {
  const brought = randomBlob(888);
  const createdAt = new Date().toISOString();
  await new BundleShelf(scene.s3.store).takeSequence(parseSiteName('slow'), 1, { createdAt });
  await scene.s3.store.write(poolKey(brought.descriptor.digest), brought.bytes);
  for (const days of [1.5, 3, 5, 7]) assert.equal((await pass(days)).held, true, `after ${days} days`);
  assert.ok(await scene.s3.store.head(poolKey(brought.descriptor.digest)));
  assert.equal((await pass(15)).held, false);
  assert.equal(await scene.s3.store.head(poolKey(brought.descriptor.digest)), undefined);
});
