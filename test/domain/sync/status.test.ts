import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Condition } from '../../../domain/resources/meta.ts';
import type { RepositoryStatus, SyncTrigger } from '../../../domain/resources/repository.ts';
import { historyLimit } from '../../../domain/sync/history.ts';
import { judge, type Ending, type SyncOutcome } from '../../../domain/sync/outcome.ts';
import type { SyncPlan } from '../../../domain/sync/plan.ts';
import { endedStatus, syncingStatus } from '../../../domain/sync/status.ts';
import { addImage, emptyTally, shownImages, type ImageResult } from '../../../domain/sync/tally.ts';
import { versionLimit } from '../../../domain/sync/versions.ts';
import { planOf } from '../../support/sync-scene.ts';

const plan = planOf('web');
const digestOf = (letter: string): string => `sha256:${letter.repeat(64)}`;
const now = '2026-01-01T00:00:10Z';

const image = (letter: string, change: Partial<ImageResult> = {}): ImageResult => ({
  tag: 'v1',
  digest: digestOf(letter),
  sites: [{ site: 'edge', digest: digestOf(letter) }],
  bytesMoved: 10,
  bytesReused: 0,
  changed: true,
  ...change,
});

let runs = 0;
function outcome(ending: Partial<Ending>, of: SyncPlan = plan, trigger: SyncTrigger = 'manual'): SyncOutcome {
  runs += 1;
  const run = { workflowId: 'w', runId: `r${runs}`, trigger, started: '2026-01-01T00:00:00Z' };
  return judge(of, run, { tally: emptyTally, ...ending }, now);
}

const placed = (letter: string, change: Partial<ImageResult> = {}): SyncOutcome =>
  outcome({ tally: addImage(emptyTally, image(letter, change), 'v1') });
const quiet = (letter: string): SyncOutcome =>
  outcome(
    { tally: addImage(emptyTally, image(letter, { changed: false, bytesMoved: 0 }), 'v1') },
    plan,
    'schedule',
  );

const synced = (status: RepositoryStatus): Condition | undefined =>
  status.conditions?.find(({ type }) => type === 'Synced');

test('while it runs the status says Syncing and keeps what is known', () => {
  const before = endedStatus(undefined, placed('a'));
  const status = syncingStatus(before, plan, 'manual', now);
  assert.deepEqual(
    [status.syncStatus, status.syncProgress, status.digest, synced(status)?.status],
    ['Syncing', '0%', digestOf('a'), 'True'],
  );
});

test('N01: recording the same end twice changes nothing more', () => {
  const end = placed('a');
  const once = endedStatus(undefined, end);
  assert.deepEqual(endedStatus(once, end), once);
});

test('without any site only metadata is synced: a success that says so', () => {
  const bare = { ...plan, sites: [] };
  const end = outcome({ tally: addImage(emptyTally, image('a', { sites: [], changed: false }), 'v1') }, bare);
  const status = endedStatus(undefined, end);
  assert.deepEqual(
    [status.syncStatus, synced(status)?.status, synced(status)?.reason],
    ['Success', 'True', 'NoSite'],
  );
  assert.match(synced(status)?.message ?? '', /only metadata was synced.*仅同步了元数据/s);
});

test('a failure keeps the last good digest and time, and names code and words', () => {
  const good = endedStatus(undefined, placed('a'));
  const status = endedStatus(good, outcome({ failure: { code: 'Unauthorized', side: 'source' } }));
  assert.deepEqual(
    [status.syncStatus, status.digest, status.lastSynced, synced(status)?.reason, status.sites?.[0]?.digest],
    ['Failed', digestOf('a'), good.lastSynced, 'Unauthorized', digestOf('a')],
  );
});

test('INV5: one site that failed makes the sync failed, and the site that has the image stays synced', () => {
  const two = { ...plan, sites: [...plan.sites, { site: 'south', queue: 'q' }] };
  const sites = [
    { site: 'edge', digest: digestOf('b') },
    { site: 'south', failure: { code: 'DestinationFull' } as const },
  ];
  const status = endedStatus(
    undefined,
    outcome({ tally: addImage(emptyTally, image('b', { sites }), 'v1') }, two),
  );
  assert.equal(status.syncStatus, 'Failed');
  assert.deepEqual(
    status.sites?.map(({ site, state }) => [site, state]),
    [
      ['edge', 'Synced'],
      ['south', 'Failed'],
    ],
  );
});

for (const [what, before, expected, progress] of [
  ['nothing', [], '', '0%'],
  ['a success', [placed('a')], 'Success', '100%'],
  ['a failure', [placed('a'), outcome({ failure: { code: 'Timeout' } })], 'Failed', '0%'],
] as const) {
  test(`a cancelled sync after ${what} leaves syncStatus '${expected}' and the reason Cancelled`, () => {
    let status: RepositoryStatus | undefined;
    for (const end of before) status = endedStatus(status, end);
    status = endedStatus(
      syncingStatus(status, plan, 'manual', now),
      outcome({ failure: { code: 'Cancelled' } }),
    );
    assert.deepEqual([status.syncStatus, synced(status)?.reason], [expected, 'Cancelled']);
    assert.equal(status.syncProgress, progress);
  });
}

test('quiet scheduled syncs take one place in the history; everything else is kept up to the limit', () => {
  let status = endedStatus(undefined, placed('a'));
  for (let index = 0; index < 5; index += 1) status = endedStatus(status, quiet('a'));
  assert.deepEqual(
    status.history?.map(({ result }) => result),
    ['Unchanged', 'Success'],
  );
  for (let index = 0; index < 40; index += 1) status = endedStatus(status, placed('a'));
  assert.equal(status.history?.length, historyLimit);
});

test('a busy tag pushes no other tag’s current and earlier version out of the status', () => {
  const digest = (number: number): string => `sha256:${String(number).padStart(64, '0')}`;
  let status: RepositoryStatus = {};
  const sees = (tag: string, number: number): void => {
    const tally = addImage(emptyTally, image('a', { tag, digest: digest(number) }), tag);
    status = endedStatus(status, outcome({ tally }));
  };
  for (const number of [1, 2, 3]) sees('quiet', number);
  for (let number = 100; number < 100 + 2 * versionLimit; number += 1) sees('busy', number);
  const kept = (wanted: string) =>
    (status.versions ?? []).flatMap((version) => (version.tag === wanted ? [version.digest] : []));
  assert.deepEqual(kept('quiet'), [digest(3), digest(2)]);
  assert.equal(kept('busy').length, versionLimit - 2);
  assert.equal(kept('busy')[0], digest(99 + 2 * versionLimit));
});

test('O16: versions and shown tags are bounded, and a moved tag puts its new version first', () => {
  let status = endedStatus(undefined, placed('a'));
  status = endedStatus(status, placed('b'));
  assert.deepEqual(
    status.versions?.map(({ digest }) => digest),
    [digestOf('b'), digestOf('a')],
  );
  const many = Array.from({ length: 300 }, (_, index) => image('c', { tag: `t${index}` }));
  const all = many.reduce((tally, one) => addImage(tally, one, 'v1'), emptyTally);
  status = endedStatus(status, outcome({ tally: all }));
  assert.ok((status.versions?.length ?? 0) <= versionLimit && (status.tags?.length ?? 0) <= shownImages);
});

test('a site that is named and does not exist fails the sync', () => {
  const lost = { ...plan, missingSites: ['atlantis'] };
  const status = endedStatus(undefined, outcome({ tally: addImage(emptyTally, image('a'), 'v1') }, lost));
  assert.deepEqual([synced(status)?.reason, status.sites?.at(-1)?.state], ['SiteNotFound', 'Failed']);
  for (const message of [synced(status)?.message, status.sites?.at(-1)?.message])
    assert.match(message ?? '', /^There is no EdgeSite of this name \(atlantis\) \/ /);
});

const tallyOf = (images: readonly ImageResult[]) =>
  images.reduce((tally, one) => addImage(tally, one, 'v1'), emptyTally);

test('of many images the status shows failures first, then the primary one, then what changed', () => {
  const quietOnes = Array.from({ length: 80 }, (_, index) =>
    image('c', { tag: `q${index}`, changed: false }),
  );
  const failure = { code: 'Forbidden' } as const;
  const tally = tallyOf([
    ...quietOnes,
    image('d', { tag: 'moved' }),
    image('a', { changed: false }),
    image('e', { tag: 'broken', sites: [{ site: 'edge', failure }] }),
  ]);
  assert.deepEqual(
    tally.shown.slice(0, 4).map(({ tag }) => tag),
    ['broken', 'v1', 'moved', 'q0'],
  );
  assert.equal(tally.shown.length, shownImages);
  const many = tallyOf([
    image('a'),
    ...quietOnes.map(({ tag }) => image('c', { tag, sites: [{ site: 'edge', failure }] })),
  ]);
  assert.ok(
    many.shown.some(({ tag }) => tag === 'v1'),
    'the primary image never falls out',
  );
});

test('N06 with many sites a tally stays below 64 KiB, whatever they say', () => {
  const sites = Array.from({ length: 100 }, (_, index) => ({
    site: `site-${index}`.padEnd(63, 'x'),
    failure: { code: 'Forbidden', subject: 's'.repeat(300), detail: 'd'.repeat(200) } as const,
  }));
  for (const count of [1, 10, 100]) {
    const images = Array.from({ length: 60 }, (_, index) =>
      image('f', { tag: `t${index}`, sites: sites.slice(0, count) }),
    );
    assert.ok(JSON.stringify(tallyOf(images)).length < 100_000);
  }
});

test('O16: a thousand sites that fail, with long names and long words, fit into a status', () => {
  const names = Array.from({ length: 1000 }, (_, index) => `site-${index}`.padEnd(63, 'x'));
  const sites = names.map((site) => ({ site, queue: 'q', target: `${site}.example/${'p'.repeat(100)}` }));
  const failure = { code: 'Forbidden', subject: 's'.repeat(300), detail: 'd'.repeat(300) } as const;
  const tally = tallyOf([image('a', { sites: names.map((site) => ({ site, failure })) })]);
  const status = endedStatus(undefined, outcome({ tally }, { ...plan, sites }));
  assert.equal(status.sites?.length, 1000);
  assert.equal(status.sites?.filter(({ message }) => message !== undefined).length, 50);
  assert.ok(status.sites?.every(({ reason }) => reason === 'Forbidden'));
  const bytes = Buffer.byteLength(JSON.stringify(status));
  assert.ok(bytes < 524_288, `${bytes} bytes`);
});

test('a tag names its sites, those in trouble first, and what a site is held at', () => {
  const held = image('b', {
    sites: [{ site: 'south', digest: digestOf('b') }],
    partial: true,
    changed: false,
  });
  const failing = { site: 'west', failure: { code: 'DestinationFull' } as const };
  const main = image('a', { sites: [{ site: 'edge', digest: digestOf('a') }, failing] });
  const status = endedStatus(undefined, outcome({ tally: tallyOf([held, main]) }));
  assert.deepEqual(
    status.tags?.map(({ tag, digest }) => [tag, digest]),
    [['v1', digestOf('a')]],
  );
  assert.deepEqual(status.tags?.[0]?.sites, [
    { site: 'west', state: 'Failed', reason: 'DestinationFull' },
    { site: 'edge', state: 'Synced' },
    { site: 'south', state: 'Synced', digest: digestOf('b') },
  ]);
  assert.deepEqual(
    status.versions?.map(({ digest }) => digest),
    [digestOf('a')],
    'a held version is not new',
  );
});

test('a tag that vanished upstream is shown as Gone and keeps its size', () => {
  const gone = [{ tag: 'old', digest: digestOf('o') }];
  const before = endedStatus(
    undefined,
    outcome({ tally: tallyOf([image('a'), image('o', { tag: 'old' })]) }),
  );
  const after = endedStatus(before, outcome({ tally: { ...tallyOf([image('a')]), gone } }));
  assert.deepEqual(
    after.tags?.map(({ tag, state, size }) => [tag, state, size]),
    [
      ['v1', 'Synced', '10B'],
      ['old', 'Gone', '10B'],
    ],
  );
  const lost = endedStatus(after, outcome({ failure: { code: 'TagNotFound', side: 'source' } }));
  assert.deepEqual(
    lost.tags?.map(({ state }) => state),
    ['Gone', 'Gone'],
  );
});

test('a site says where its image came from, also after syncs that found it there already', () => {
  const site = { site: 'edge', digest: digestOf('a') };
  const first = endedStatus(undefined, placed('a', { sites: [{ ...site, source: 'pool' }] }));
  assert.equal(first.sites?.[0]?.source, 'pool');
  assert.equal(endedStatus(first, quiet('a')).sites?.[0]?.source, 'pool');
  const failed = placed('b', { sites: [{ site: 'edge', failure: { code: 'NetworkError' } }] });
  assert.equal(endedStatus(first, failed).sites?.[0]?.source, 'pool');
  assert.equal(endedStatus(first, placed('b')).sites?.[0]?.source, undefined);
});
