import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forgetTags, recordDoubt, recordListing } from '../../../domain/lifecycle/tag-ledger.ts';
import { accountStorage, freedBytes, type StoredImage } from '../../../domain/lifecycle/storage.ts';
import { parseTag } from '../../../domain/names/tag.ts';
import { digestOf } from './image-versions.ts';

const image = (root: number, blobs: readonly number[]) => ({
  digest: digestOf(root),
  children: [],
  blobs: [[digestOf(root), 1] as const, ...blobs.map((size) => [digestOf(size), size] as const)],
});
const stored = (
  path: string,
  tag: string,
  root: number,
  blobs: readonly number[],
  site = 's',
): StoredImage => ({
  site,
  registry: 'r:5000',
  path,
  tag,
  image: image(root, blobs),
});

test('space is exact: shared blobs count once, and unique is what deleting the group would free', () => {
  const lines = accountStorage([
    stored('a', '1', 1001, [100, 10]),
    stored('a', '2', 1002, [100, 20]),
    stored('b', '1', 1003, [100, 30]),
    stored('b', '1', 1003, [100, 30], 'other'),
  ]);
  const use = (path?: string, tag?: string): readonly number[] | undefined => {
    const line = lines.find((entry) => entry.site === 's' && entry.path === path && entry.tag === tag);
    return line === undefined
      ? undefined
      : [line.images, line.totalBytes, line.uniqueBytes, line.sharedBytes];
  };
  assert.deepEqual(use(), [3, 163, 163, 0]);
  assert.deepEqual(use('a'), [2, 132, 32, 100]);
  assert.deepEqual(use('b'), [1, 131, 31, 100]);
  assert.deepEqual(use('a', '1'), [1, 111, 11, 100]);
});

test('two tags of one digest share everything with each other', () => {
  const lines = accountStorage([stored('a', '1', 1, [50]), stored('a', 'latest', 1, [50])]);
  assert.deepEqual(
    lines.map(({ totalBytes, uniqueBytes }) => [totalBytes, uniqueBytes]),
    [
      [51, 51],
      [51, 51],
      [51, 0],
      [51, 0],
    ],
  );
});

test('freed bytes add up, and count no blob that something kept needs', () => {
  assert.deepEqual(
    freedBytes([image(1, [100])], [image(2, [100, 20]), image(3, [20, 30]), image(3, [20, 30])]),
    [21, 31, 0],
  );
});

test('a tag is as old as its digest under it, and stays ours', () => {
  const found = (digest: number) => [{ tag: parseTag('a'), digest: digestOf(digest) }];
  const first = recordListing(undefined, found(1), [{ tag: 'a', digest: digestOf(1), placed: 50 }], 100);
  assert.deepEqual(first, { count: 1, tags: { a: { digest: digestOf(1), firstSeen: 50, ours: true } } });
  assert.deepEqual(recordListing(first, found(1), [], 200).tags['a'], {
    digest: digestOf(1),
    firstSeen: 50,
    ours: true,
  });
  assert.deepEqual(recordListing(first, found(2), [], 200).tags['a'], {
    digest: digestOf(2),
    firstSeen: 200,
    ours: true,
  });
  assert.equal(recordListing(undefined, found(1), [], 100).tags['a']?.ours, false);
});

test('a ledger remembers since when a listing is smaller, and what we deleted ourselves', () => {
  const entry = { digest: digestOf(1), firstSeen: 0, ours: true };
  const ledger = { count: 3, tags: { a: entry, b: entry } };
  const doubted = recordDoubt(ledger, 1, 100);
  assert.deepEqual(doubted.doubt, { count: 1, since: 100 });
  assert.deepEqual(recordDoubt(doubted, 1, 200).doubt, { count: 1, since: 100 });
  assert.deepEqual(recordDoubt(doubted, 0, 300).doubt, { count: 0, since: 300 });
  assert.deepEqual(forgetTags(doubted, ['a']), { count: 2, tags: { b: entry } });
});
