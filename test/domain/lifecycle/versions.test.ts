import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../../../domain/failure.ts';
import { decideRollback, pinOf, pinPatch } from '../../../domain/lifecycle/rollback.ts';
import {
  compareVersions,
  previousVersion,
  recordPlacements,
  versionsPerRepository,
  versionsPerTag,
} from '../../../domain/lifecycle/versions.ts';
import type { Repository, VersionStatus } from '../../../domain/resources/repository.ts';
import { digestOf } from './image-versions.ts';

const place = (
  history: readonly VersionStatus[],
  digest: number,
  now: string,
  tag = '1.0',
): VersionStatus[] => recordPlacements(history, [{ tag, digest: digestOf(digest), now, syncId: `s${now}` }]);

test('a history has the newest first, does not grow by an unchanged sync, and remembers the first sight', () => {
  let history = place([], 1, 't1');
  history = place(history, 1, 't2');
  assert.deepEqual(history, [{ tag: '1.0', digest: digestOf(1), seen: 't1', placed: 't1', syncId: 'st1' }]);
  history = place(place(history, 2, 't3'), 1, 't4');
  assert.deepEqual(
    history.map(({ digest, seen, placed }) => [digest, seen, placed]),
    [
      [digestOf(1), 't1', 't4'],
      [digestOf(2), 't3', 't3'],
    ],
  );
  assert.equal(previousVersion(history, '1.0')?.digest, digestOf(2));
});

test('a history is bounded by tag and by Repository', () => {
  let history: VersionStatus[] = [];
  for (let index = 0; index < 50; index += 1) history = place(history, index, `t${index}`);
  assert.equal(history.length, versionsPerTag);
  for (let index = 0; index < 500; index += 1) history = place(history, index, `t${index}`, `tag-${index}`);
  assert.equal(history.length, versionsPerRepository);
});

test('two versions are compared by their layers, each counted once', () => {
  const manifest = (sizes: readonly number[]) => ({
    architecture: 'amd64',
    os: 'linux',
    size: '1MB',
    layers: sizes.map((size) => ({ digest: digestOf(size), size: String(size) })),
  });
  const comparison = compareVersions(
    { digest: digestOf(1), manifest: manifest([10, 20, 20]) },
    { digest: digestOf(2), manifest: manifest([20, 30]) },
  );
  assert.deepEqual(comparison, {
    from: digestOf(1),
    to: digestOf(2),
    sharedLayers: [digestOf(20)],
    addedLayers: [digestOf(30)],
    removedLayers: [digestOf(10)],
    sharedBytes: 20,
    addedBytes: 30,
    removedBytes: 10,
  });
});

const repository = (history: readonly VersionStatus[]): Repository => ({
  apiVersion: 'image.theriseunion.io/v1alpha1',
  kind: 'Repository',
  metadata: { namespace: 'a', name: 'r' },
  spec: { repository: 'library/app', tag: '1.0', registryRef: { name: 'hub' } },
  status: { versions: history },
});

test('a rollback goes to the named digest, else to the previous version', () => {
  const history = place(place([], 1, 't1'), 2, 't2');
  assert.deepEqual(decideRollback(repository(history), {}), {
    tag: '1.0',
    from: digestOf(2),
    to: digestOf(1),
  });
  assert.equal(decideRollback(repository(history), { digest: digestOf(9) }).to, digestOf(9));
});

const refusals = [
  [{}, 'RollbackTargetMissing'],
  [{ digest: 'sha256:../x' }, 'InvalidDigest'],
  [{ tag: '../x' }, 'InvalidTag'],
  [{ tag: 'other' }, 'TagNotFound'],
] as const;
for (const [request, code] of refusals) {
  test(`a rollback to ${JSON.stringify(request)} without history is refused as ${code}`, () => {
    assert.throws(
      () => decideRollback(repository([]), request),
      (error: unknown) => error instanceof Failure && error.code === code,
    );
  });
}

test('the fence pins the tag until it is released', () => {
  const spec = { tag: '1.0', pins: [{ tag: '2.0', digest: digestOf(2) }] };
  assert.deepEqual(pinPatch(spec, '1.0', digestOf(1)), { spec: { pinnedDigest: digestOf(1) } });
  assert.deepEqual(pinPatch(spec, '1.0', undefined), { spec: { pinnedDigest: null } });
  assert.deepEqual(pinPatch(spec, '2.0', undefined), { spec: { pins: null } });
  assert.deepEqual(pinPatch(spec, '3.0', digestOf(3)), {
    spec: { pins: [...spec.pins, { tag: '3.0', digest: digestOf(3) }] },
  });
  assert.equal(pinOf(spec, '2.0'), digestOf(2));
  assert.equal(pinOf({ ...spec, pinnedDigest: digestOf(7) }, '1.0'), digestOf(7));
  assert.equal(pinOf(spec, '1.0'), undefined);
});
