import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTag } from '../../../domain/names/tag.ts';
import { scrubbedStatus, scrubPageSize, scrubTargets } from '../../../domain/lifecycle/scrub.ts';
import type { Repository, RepositoryStatus } from '../../../domain/resources/repository.ts';
import { digestOf } from './image-versions.ts';

const repository = (status: RepositoryStatus, selects = false): Repository => ({
  apiVersion: 'image.theriseunion.io/v1alpha1',
  kind: 'Repository',
  metadata: { namespace: 'a', name: 'r', generation: 3 },
  spec: {
    repository: 'library/app',
    tag: '1.0',
    registryRef: { name: 'hub' },
    ...(selects ? { tagSelector: { glob: '*' } } : {}),
  },
  status,
});

test('I08 a scrub checks at every site what the status says is there, and reads the bytes of one', () => {
  const targets = scrubTargets(
    repository({
      digest: digestOf(1),
      sites: [
        { site: 'a', state: 'Synced', digest: digestOf(2) },
        { site: 'b', state: 'Failed' },
        { site: 'c', state: 'Synced' },
      ],
    }),
    0,
  );
  assert.deepEqual(targets, [
    { site: 'a', tag: '1.0', digest: digestOf(2), deep: true },
    { site: 'c', tag: '1.0', digest: digestOf(1), deep: false },
  ]);
});

test('a Repository of many tags is checked in turns that miss none', () => {
  const tags = Array.from({ length: 120 }, (_, index) => ({
    tag: `t${index}`,
    digest: digestOf(index),
    state: 'Synced' as const,
  }));
  const many = repository({ tags, sites: [{ site: 'a', state: 'Synced' }] }, true);
  const turns = [0, 1, 2].map((turn) => scrubTargets(many, turn));
  assert.ok(
    turns.every((turn) => turn.length <= scrubPageSize && turn.filter(({ deep }) => deep).length === 1),
  );
  assert.equal(new Set(turns.flat().map(({ tag }) => tag)).size, 120);
  const read = Array.from(
    { length: 150 },
    (_, turn) => scrubTargets(many, turn).find(({ deep }) => deep)?.tag,
  );
  assert.equal(new Set(read).size, 120);
});

test('tags that the status has no room for are checked as well', () => {
  const [first, second] = scrubTargets(
    repository(
      { tags: [{ tag: 'a', digest: digestOf(1), state: 'Synced' }], sites: [{ site: 's', state: 'Synced' }] },
      true,
    ),
    0,
    [
      { site: 's', tag: parseTag('a') },
      { site: 's', tag: parseTag('b') },
    ],
  );
  assert.deepEqual([first?.tag, first?.digest], ['a', digestOf(1)]);
  assert.deepEqual([second?.tag, second?.digest], ['b', undefined]);
});

test('I08 damage shows as Degraded with the first thing that is wrong, and goes again', () => {
  const bad = scrubbedStatus(
    repository({ syncStatus: 'Success' }),
    [{ site: 'a', tag: '1.0', code: 'SourceIncomplete', detail: 'x' }],
    2,
    't1',
  );
  const condition = bad.conditions?.[0];
  assert.deepEqual(
    [condition?.type, condition?.status, condition?.reason],
    ['Degraded', 'True', 'ImageDegraded'],
  );
  assert.match(condition?.message ?? '', /1 of 2 images are damaged: a 1.0: SourceIncomplete/);
  assert.equal(bad.syncStatus, 'Success');
  const good = scrubbedStatus(repository(bad), [], 2, 't2').conditions?.[0];
  assert.deepEqual([good?.status, good?.lastTransitionTime], ['False', 't2']);
});
