import assert from 'node:assert/strict';
import { test } from 'node:test';
import { claimedFile, planTar, streamTar, tarHeader } from '../../../infra/layout/tar-plan.ts';

const name = `blobs/sha256/${'a'.repeat(64)}`;

test('a header says what it was made of, also beyond the 8 GiB of octal sizes', () => {
  for (const size of [0, 1, 511, 8 ** 11 - 1, 8 ** 11, 2 ** 44]) {
    const header = tarHeader({ name, size });
    assert.deepEqual(claimedFile(header), { name, size });
    assert.equal(header.length, 512);
  }
});

test('any range of an archive is the same part of the whole', async () => {
  const files = new Map([
    ['index.json', Buffer.from('{"a":1}')],
    [name, Buffer.alloc(1500, 7)],
  ]);
  const plan = planTar([...files].map(([file, bytes]) => ({ name: file, size: bytes.length })));
  const read = async (from: number, to: number): Promise<Buffer> => {
    const chunks: Uint8Array[] = [];
    const part = async function* (file: { readonly name: string }, at: number, length: number) {
      yield (files.get(file.name) ?? Buffer.alloc(0)).subarray(at, at + length);
    };
    for await (const chunk of streamTar(plan, from, to, part)) chunks.push(chunk);
    return Buffer.concat(chunks);
  };
  const whole = await read(0, plan.size);
  assert.equal(whole.length, plan.size);
  for (let from = 0; from < plan.size; from += 97) {
    const to = Math.min(plan.size, from + 613);
    assert.ok((await read(from, to)).equals(whole.subarray(from, to)), `${from}-${to}`);
  }
});
