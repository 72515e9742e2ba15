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
  outcome({ tally: addImage(emptyTally, image(letter, change)) });
const quiet = (letter: string): SyncOutcome =>
  outcome(
    { tally: addImage(emptyTally, image(letter, { changed: false, bytesMoved: 0 })) },
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
  const end = outcome({ tally: addImage(emptyTally, image('a', { sites: [], changed: false })) }, bare);
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
  const status = endedStatus(undefined, outcome({ tally: addImage(emptyTally, image('b', { sites })) }, two));
  assert.equal(status.syncStatus, 'Failed');
  assert.deepEqual(
    status.sites?.map(({ site, state }) => [site, state]),
    [
      ['edge', 'Synced'],
      ['south', 'Failed'],
    ],
  );
});

for (const [what, before, expected] of [
  ['nothing', [], ''],
  ['a success', [placed('a')], 'Success'],
  ['a failure', [placed('a'), outcome({ failure: { code: 'Timeout' } })], 'Failed'],
] as const) {
  test(`a cancelled sync after ${what} leaves syncStatus '${expected}' and the reason Cancelled`, () => {
    let status: RepositoryStatus | undefined;
    for (const end of before) status = endedStatus(status, end);
    status = endedStatus(
      syncingStatus(status, plan, 'manual', now),
      outcome({ failure: { code: 'Cancelled' } }),
    );
    assert.deepEqual([status.syncStatus, synced(status)?.reason], [expected, 'Cancelled']);
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

test('O16: versions and shown tags are bounded, and a moved tag puts its new version first', () => {
  let status = endedStatus(undefined, placed('a'));
  status = endedStatus(status, placed('b'));
  assert.deepEqual(
    status.versions?.map(({ digest }) => digest),
    [digestOf('b'), digestOf('a')],
  );
  const many = Array.from({ length: 300 }, (_, index) => image('c', { tag: `t${index}` }));
  status = endedStatus(status, outcome({ tally: many.reduce(addImage, emptyTally) }));
  assert.ok((status.versions?.length ?? 0) <= versionLimit && (status.tags?.length ?? 0) <= shownImages);
});

test('a site that is named and does not exist fails the sync', () => {
  const lost = { ...plan, missingSites: ['atlantis'] };
  const status = endedStatus(undefined, outcome({ tally: addImage(emptyTally, image('a')) }, lost));
  assert.deepEqual([synced(status)?.reason, status.sites?.at(-1)?.state], ['SiteUnavailable', 'Failed']);
});
