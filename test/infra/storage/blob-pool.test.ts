import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import { parseSiteName } from '../../../domain/names/kubernetes-name.ts';
import { moveBlob } from '../../../infra/copy/move-blob.ts';
import type { BlobSource } from '../../../infra/copy/content.ts';
import { BlobPool, listPool, poolKey } from '../../../infra/storage/blob-pool.ts';
import { BundleShelf } from '../../../infra/storage/bundle-shelf.ts';
import { honoursCreateOnly } from '../../../infra/storage/conditional-writes.ts';
import { abortStrayUploads } from '../../../infra/storage/janitor.ts';
import { partBytesFor, usualPartBytes } from '../../../infra/storage/part-size.ts';
import { codeOf, rejection } from '../../support/refusal.ts';
import { randomBlob, type SampleBlob } from '../../support/sample-image.ts';
import { startS3Process, type S3Process } from '../../support/s3-process.ts';

let s3: S3Process;
before(async () => {
  s3 = await startS3Process();
});
after(() => s3.stop());

const sourceOf = ({ bytes }: SampleBlob): BlobSource & { label: string; key: string; read: number } => ({
  label: 'memory',
  key: 'memory',
  read: 0,
  async readBlob(_blob, from, sink) {
    for (let at = from; at < bytes.byteLength; at += 256 * 1024) {
      const chunk = Buffer.from(bytes.subarray(at, at + 256 * 1024));
      this.read += chunk.byteLength;
      await sink(chunk);
      chunk.fill(0);
    }
  },
});

test('blobs of any size arrive whole and are read from any offset', async () => {
  const pool = new BlobPool(s3.store);
  for (const size of [0, 1, 300_000, usualPartBytes, usualPartBytes + 5]) {
    const blob = randomBlob(size);
    assert.equal(await pool.hasBlob(blob.descriptor), false);
    await moveBlob(sourceOf(blob), pool, blob.descriptor);
    assert.equal(await pool.proveBlob(blob.descriptor), true);
    const from = Math.floor(size / 3);
    const chunks: Buffer[] = [];
    await pool.readBlob(blob.descriptor, from, (chunk) => void chunks.push(Buffer.from(chunk)));
    assert.ok(Buffer.concat(chunks).equals(blob.bytes.subarray(from)), `${size} bytes`);
  }
});

test('K01 an upload cut off with its process goes on at its last whole part, and is read back', async () => {
  const blob = randomBlob(usualPartBytes + 1000);
  const first = await new BlobPool(s3.store).openUpload(blob.descriptor);
  for (let at = 0; at < usualPartBytes; at += 1 << 20)
    await first.write(blob.bytes.subarray(at, at + (1 << 20)));
  const again = sourceOf(blob);
  const pool = new BlobPool(s3.store);
  await moveBlob(again, pool, blob.descriptor);
  assert.equal(again.read, 1000);
  assert.equal(await pool.proveBlob(blob.descriptor), true);
});

test('K01 a continued upload whose earlier part was wrong is found out and is not kept', async () => {
  const blob = randomBlob(usualPartBytes + 1000);
  const pool = new BlobPool(s3.store);
  const first = await pool.openUpload(blob.descriptor);
  for (let at = 0; at < usualPartBytes; at += 1 << 20) await first.write(new Uint8Array(1 << 20));
  const again = sourceOf(blob);
  await moveBlob(again, pool, blob.descriptor);
  assert.equal(again.read, 1000 + blob.bytes.byteLength, 'it was sent anew');
  const chunks: Buffer[] = [];
  await pool.readBlob(blob.descriptor, 0, (chunk) => void chunks.push(Buffer.from(chunk)));
  assert.ok(Buffer.concat(chunks).equals(blob.bytes));
});

test('K01 one pass of the janitor leaves no stray upload', async () => {
  const blob = randomBlob(usualPartBytes + 1);
  await new BlobPool(s3.store).openUpload(blob.descriptor);
  assert.equal(await abortStrayUploads(s3.store, Date.now() - 60_000), 0, 'young ones are left alone');
  assert.ok((await abortStrayUploads(s3.store, Date.now() + 60_000)) >= 1);
  const left = await s3.store.client.send(new ListMultipartUploadsCommand({ Bucket: s3.store.bucket }));
  assert.deepEqual(left.Uploads ?? [], []);
});

test('K07 the size of parts follows from the size of the object, and too large ones are refused at once', () => {
  assert.equal(partBytesFor(1), usualPartBytes);
  assert.ok(partBytesFor(5 * 1024 ** 4) * 10_000 >= 5 * 1024 ** 4);
  assert.equal(
    codeOf(() => partBytesFor(5 * 1024 ** 4 + 1)),
    'ObjectTooLarge',
  );
});

test('K10 K11 a sequence is taken once, a manifest is written once', async () => {
  assert.equal(await honoursCreateOnly(s3.store), true);
  const shelf = new BundleShelf(s3.store);
  const site = parseSiteName('plant-7');
  const racers = await Promise.all(
    Array.from({ length: 8 }, (_, racer) => shelf.takeSequence(site, 1, { racer })),
  );
  assert.equal(racers.filter(Boolean).length, 1);
  const files = { index: Buffer.from('{}'), manifest: Buffer.from('one') };
  await shelf.publish(site, 1, files);
  await shelf.publish(site, 1, files);
  await rejection('SequenceTaken', shelf.publish(site, 1, { ...files, manifest: Buffer.from('two') }));
  assert.deepEqual([...(await shelf.sequences(site)).keys()], [1]);
});

test('what is in the pool is listed with its size', async () => {
  const blob = randomBlob(77);
  await moveBlob(sourceOf(blob), new BlobPool(s3.store), blob.descriptor);
  const sizes = new Map<string, number>();
  for await (const { digest, size } of listPool(s3.store)) sizes.set(digest, size);
  assert.equal(sizes.get(blob.descriptor.digest), 77);
  assert.equal(poolKey(blob.descriptor.digest), `blobs/sha256/${blob.descriptor.digest.slice(7)}`);
});
