import assert from 'node:assert/strict';
import { test } from 'node:test';
import { summarizePlan } from '../../../domain/lifecycle/cleanup-run.ts';
import {
  approvalSuffices,
  canonicalPlan,
  deletions,
  judgeListing,
  planHolds,
  type CleanupPlan,
  type PlanItem,
} from '../../../domain/lifecycle/plan.ts';
import { parseTag } from '../../../domain/names/tag.ts';
import { digestOf } from './image-versions.ts';

const item = (tag: string, reason: PlanItem['reason'], path = 'library/app'): PlanItem =>
  ({
    site: 'edge',
    image: path,
    path,
    tag: parseTag(tag),
    digest: digestOf(tag.length),
    action: ['NotKept', 'Unused', 'SubjectGone'].includes(reason) ? 'delete' : 'keep',
    reason,
    ids: [],
    bytes: 1,
  }) as PlanItem;

const many = (count: number, reason: PlanItem['reason'], path?: string): PlanItem[] =>
  Array.from({ length: count }, (_, index) => item(`${reason}-${index}`, reason, path));

const plan = (items: readonly PlanItem[], more: Partial<CleanupPlan> = {}): CleanupPlan => ({
  policy: { namespace: 'a', name: 'p' },
  uid: 'u',
  generation: 1,
  created: '2026-01-01T00:00:00Z',
  items,
  holds: [],
  ...more,
});

const guards: readonly (readonly [string, readonly PlanItem[], readonly string[]])[] = [
  ['10 of 10 tags pass', many(10, 'NotKept'), []],
  ['11 of 110 tags pass', [...many(11, 'NotKept'), ...many(99, 'KeepRecent')], []],
  ['11 of 109 tags hold', [...many(11, 'NotKept'), ...many(98, 'KeepRecent')], ['DeleteGuard']],
  ['each image is counted by itself', [...many(10, 'NotKept', 'x'), ...many(10, 'NotKept', 'y')], []],
  ['tags saved only by unknown usage hold', many(1, 'UsageUnknown'), ['UsageUnknown']],
];
for (const [name, items, codes] of guards) {
  test(`J07 J12 ${name}`, () => {
    const holds = planHolds(plan(items));
    assert.deepEqual(
      holds.map(({ code }) => code),
      codes,
    );
    assert.equal(approvalSuffices(holds), !codes.includes('UsageUnknown'));
  });
}

test('a damaged image holds itself alone: the plan for the others runs, and names it', () => {
  const hold = { code: 'ImageDegraded', site: 'edge', path: 'bad/app', detail: 'InvalidManifest' } as const;
  const going = plan(many(3, 'NotKept'), { holds: [hold] });
  const summary = summarizePlan(going, 'h', {}, []);
  assert.deepEqual([summary.next, summary.deletions, summary.holds], ['run', 3, [hold]]);
  const incomplete = { ...hold, code: 'ListingIncomplete' } as const;
  assert.equal(summarizePlan(plan(going.items, { holds: [hold, incomplete] }), 'h', {}, []).next, 'held');
});

test('a plan found again is the same plan; another deletion, policy or generation is not', () => {
  const items = [item('a', 'NotKept'), item('bb', 'NotKept'), item('ccc', 'KeepRecent')];
  const text = canonicalPlan(plan(items));
  assert.equal(canonicalPlan(plan(items.toReversed(), { created: '2027-01-01T00:00:00Z' })), text);
  const others = [
    plan(items.slice(1)),
    plan(items, { generation: 2 }),
    plan(items, { uid: 'v' }),
    plan([{ ...item('a', 'NotKept'), digest: digestOf(99) }, ...items.slice(1)]),
  ];
  for (const other of others) assert.notEqual(canonicalPlan(other), text);
});

test('attachments are deleted before what they hang on', () => {
  const order = deletions(plan([item('a', 'NotKept'), item('sig', 'SubjectGone')])).map(({ tag }) => tag);
  assert.deepEqual(order, ['sig', 'a']);
});

const listings: readonly (readonly [string, Parameters<typeof judgeListing>[0], string | undefined])[] = [
  ['J06 an empty listing where tags were', { count: 0, previous: 5, placed: 0 }, 'ListingSuspicious'],
  ['J06 an empty listing where we placed tags', { count: 0, placed: 1 }, 'ListingSuspicious'],
  ['J05 a listing that lost more than a tenth', { count: 89, previous: 100, placed: 0 }, 'ListingIncomplete'],
  ['a listing that lost a tenth', { count: 90, previous: 100, placed: 0 }, undefined],
  [
    'J05 a smaller listing that stays so for a day',
    { count: 9, previous: 100, placed: 1, doubtedForMs: 86_400_000 },
    undefined,
  ],
  ['a first listing', { count: 3, placed: 3 }, undefined],
  ['nothing where nothing was', { count: 0, placed: 0 }, undefined],
];
for (const [name, facts, code] of listings) {
  test(`${name}: ${code ?? 'is believed'}`, () => assert.equal(judgeListing(facts), code));
}
