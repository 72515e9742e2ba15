import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withWorkerSilence } from '../../../domain/api/worker-silence.ts';
import type { Repository } from '../../../domain/resources/repository.ts';

const repository: Repository = {
  apiVersion: 'image.theriseunion.io/v1alpha1',
  kind: 'Repository',
  metadata: { name: 'app', namespace: 'shop' },
  spec: { repository: 'a/b', tag: 'v1', registryRef: { name: 'hub' } },
  status: { syncStatus: 'Syncing' },
};
const now = new Date('2026-01-01T00:10:00Z');

test('while a worker lives a Repository is shown as it is', () => {
  assert.equal(withWorkerSilence(repository, 59_000, now), repository);
});

test('a stopped worker shows after a minute, with the time it was last heard of', () => {
  const shown = withWorkerSilence(repository, 120_000, now);
  const [condition] = shown.status?.conditions ?? [];
  assert.deepEqual(
    [condition?.type, condition?.status, condition?.lastTransitionTime, shown.status?.syncStatus],
    ['ControllerActive', 'False', '2026-01-01T00:08:00Z', 'Syncing'],
  );
});
