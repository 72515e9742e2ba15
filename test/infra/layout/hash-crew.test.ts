import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { HashCrew } from '../../../infra/layout/hash-crew.ts';
import { rejection } from '../../support/refusal.ts';

const mebibyte = 1024 * 1024;
const bytes = randomBytes(3 * mebibyte + 17);
const sha256 = (from: number, to: number): string =>
  createHash('sha256').update(bytes.subarray(from, to)).digest('hex');

let folder: string;
let handle: FileHandle;
let crew: HashCrew;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hash-crew-'));
  writeFileSync(join(folder, 'file'), bytes);
  handle = await open(join(folder, 'file'));
  crew = HashCrew.for(100 * mebibyte, 2) ?? assert.fail();
});
after(async () => {
  await crew.close();
  await handle.close();
  rmSync(folder, { recursive: true });
});

for (const [start, length, size] of [
  [0, bytes.byteLength, bytes.byteLength],
  [512, mebibyte, mebibyte],
  [0, 0, 0],
  // The file is shorter than it was.
  [mebibyte, 10 * mebibyte, bytes.byteLength - mebibyte],
] as const) {
  test(`${length} bytes from byte ${start} on hash in a thread as they do here, and ${size} of them are counted`, async () => {
    const hashed = await crew.hash({ handle, start, length, name: 'file' });
    assert.deepEqual(hashed, { hex: sha256(start, start + size), size });
  });
}

test('a crew works on as many parts at a time as it has threads', async () => {
  const part = { handle, start: 0, length: bytes.byteLength, name: 'file' };
  const hashed = await Promise.all(Array.from({ length: crew.size }, () => crew.hash(part)));
  assert.deepEqual(new Set(hashed.map(({ hex }) => hex)), new Set([sha256(0, bytes.byteLength)]));
});

test('a file that cannot be read is a MediaError, and the thread goes on', async () => {
  const gone = await open(join(folder, 'file'));
  const fd = { fd: gone.fd } as FileHandle;
  await gone.close();
  await rejection('MediaError', crew.hash({ handle: fd, start: 0, length: 10, name: 'file' }));
  assert.equal((await crew.hash({ handle, start: 0, length: 10, name: 'file' })).hex, sha256(0, 10));
});

test('a crew that is told to stop stops waiting at once', async () => {
  const stopped = HashCrew.for(100 * mebibyte, 2) ?? assert.fail();
  const stop = new AbortController();
  const part = { handle, start: 0, length: bytes.byteLength, name: 'file' };
  const running = rejection('Cancelled', stopped.hash(part, stop.signal));
  stop.abort();
  await running;
  await rejection('Cancelled', stopped.hash(part, stop.signal));
  await stopped.close();
});

test('no thread is started for little, nor where there is one core', () => {
  assert.equal(HashCrew.for(mebibyte, 8), undefined);
  assert.equal(HashCrew.for(100 * mebibyte, 1), undefined);
});
