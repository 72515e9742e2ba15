import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../../../domain/failure.ts';
import { decideRollback, pinOf, pinPatch } from '../../../domain/lifecycle/rollback.ts';
import { compareVersions, previousVersion } from '../../../domain/lifecycle/versions.ts';
import type { Repository, VersionStatus } from '../../../domain/resources/repository.ts';
import { digestOf } from './image-versions.ts';

/** A history of one tag, newest first. */
const history = (...digests: readonly number[]): VersionStatus[] =>
  digests.map((digest) => ({ tag: '1.0', digest: digestOf(digest), seen: '2026-01-01T00:00:00Z' }));

test('the version before is the last one with another digest', () => {
  assert.equal(previousVersion(history(2, 1), '1.0')?.digest, digestOf(1));
  assert.equal(previousVersion(history(1, 1, 2, 1), '1.0')?.digest, digestOf(2));
  assert.equal(previousVersion(history(1), '1.0'), undefined);
  assert.equal(previousVersion(history(2, 1), '2.0'), undefined);
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

const repository = (versions: readonly VersionStatus[]): Repository => ({
  apiVersion: 'image.theriseunion.io/v1alpha1',
  kind: 'Repository',
  metadata: { namespace: 'a', name: 'r' },
  spec: { repository: 'library/app', tag: '1.0', registryRef: { name: 'hub' } },
  status: { versions },
});

test('a rollback goes to the named digest, else to the previous version', () => {
  const versions = history(2, 1);
  assert.deepEqual(decideRollback(repository(versions), {}), {
    tag: '1.0',
    from: digestOf(2),
    to: digestOf(1),
  });
  assert.equal(decideRollback(repository(versions), { digest: digestOf(9) }).to, digestOf(9));
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
