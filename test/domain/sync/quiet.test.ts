import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SyncPlan } from '../../../domain/sync/plan.ts';
import { quietOutcome } from '../../../domain/sync/quiet.ts';
import type { Survey } from '../../../domain/sync/survey.ts';
import { digest, planOf, root } from '../../support/sync-scene.ts';

const current = { tag: 'v1', root, current: [{ site: 'edge', digest }], needed: [] };
const quiet: Survey = { images: [current], unchanged: 4, total: 5 };
const described = { described: digest };
const run = { workflowId: 'w', runId: 'r', trigger: 'schedule', started: '2026-01-01T00:00:00Z' } as const;

test('a look that finds every site up to date is the end of the sync', () => {
  const outcome = quietOutcome(planOf('quiet', described), run, quiet, '2026-01-01T00:00:01Z');
  assert.equal(outcome?.result, 'Unchanged');
  assert.equal(outcome?.tally.images, 5);
  assert.deepEqual(outcome?.tally.shown[0]?.sites, current.current);
});

const rows: readonly (readonly [string, Partial<SyncPlan>, Survey])[] = [
  ['a site lacks the image', described, { images: [{ ...current, needed: ['edge'] }], total: 1 }],
  ['there are further pages', described, { ...quiet, next: 'v1' }],
  ['a signature is asked for', { ...described, verification: { publicKey: 'k' } }, quiet],
  ['the status does not tell of the image yet', {}, quiet],
  ['a site does not exist', { ...described, missingSites: ['away'] }, quiet],
  ['there is a problem', { ...described, problem: { code: 'InvalidName' } }, quiet],
];
for (const [what, change, survey] of rows) {
  test(`it is not where ${what}`, () => {
    assert.equal(quietOutcome(planOf('quiet', change), run, survey, run.started), undefined);
  });
}
