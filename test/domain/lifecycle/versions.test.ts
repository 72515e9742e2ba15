import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../../../domain/failure.ts';
import {
  decideRollback,
  isPinned,
  pinOf,
  pinPatch,
  rollbackSites,
} from '../../../domain/lifecycle/rollback.ts';
import { compareVersions, previousVersion } from '../../../domain/lifecycle/versions.ts';
import {
  rollbackAnnotation,
  rollbackSitesAnnotation,
  rollbackTagAnnotation,
  rollbackWish,
} from '../../../domain/reconcile/lifecycle.ts';
import type { EdgeSite } from '../../../domain/resources/edge-site.ts';
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

test('a rollback of some sites holds only those, and a later one takes over the sites that it names', () => {
  const spec = { tag: '1.0', pins: [{ tag: '1.0', digest: digestOf(2), sites: ['north', 'south'] }] };
  assert.equal(pinOf(spec, '1.0'), undefined);
  assert.deepEqual([pinOf(spec, '1.0', 'north'), pinOf(spec, '1.0', 'west')], [digestOf(2), undefined]);
  assert.deepEqual([isPinned(spec, '1.0'), isPinned(spec, '2.0')], [true, false]);
  assert.deepEqual(pinPatch(spec, '1.0', digestOf(3), ['south']), {
    spec: {
      pins: [
        { tag: '1.0', digest: digestOf(2), sites: ['north'] },
        { tag: '1.0', digest: digestOf(3), sites: ['south'] },
      ],
    },
  });
  assert.deepEqual(pinPatch(spec, '1.0', digestOf(3)), { spec: { pinnedDigest: digestOf(3), pins: null } });
  assert.deepEqual(pinPatch(spec, '1.0', undefined), { spec: { pinnedDigest: null, pins: null } });
  const both = { ...spec, pinnedDigest: digestOf(9) };
  assert.deepEqual([pinOf(both, '1.0', 'south'), pinOf(both, '1.0', 'west')], [digestOf(2), digestOf(9)]);
});

test('a rollback happens at the named sites of the Repository, and refuses others', () => {
  const site = (name: string, mode: 'connected' | 'offline'): EdgeSite => ({
    apiVersion: 'image.theriseunion.io/v1alpha1',
    kind: 'EdgeSite',
    metadata: { name },
    spec: { mode, registry: { domain: 'edge.example' } },
  });
  const choice = {
    connected: [site('a', 'connected'), site('b', 'connected')],
    offline: [site('c', 'offline')],
    missing: [],
  };
  const names = (chosen?: string[]) => {
    const { connected, offline } = rollbackSites(chosen === undefined ? {} : { chosen }, choice);
    return [...connected, ...offline].map(({ metadata }) => metadata.name);
  };
  assert.deepEqual(names(), ['a', 'b', 'c']);
  assert.deepEqual(names(['c', 'b']), ['b', 'c']);
  assert.throws(
    () => names(['a', 'x']),
    (error: unknown) => error instanceof Failure && error.code === 'InvalidRequest' && error.subject === 'x',
  );
});

test('the annotation rollback-to may name a tag and sites', () => {
  const asked = (annotations: Record<string, string>) =>
    rollbackWish({ ...repository([]), metadata: { name: 'r', annotations } })?.request;
  assert.equal(asked({}), undefined);
  assert.deepEqual(asked({ [rollbackAnnotation]: 'previous' }), {});
  assert.deepEqual(
    asked({
      [rollbackAnnotation]: digestOf(1),
      [rollbackTagAnnotation]: '2.0',
      [rollbackSitesAnnotation]: 'north, south',
    }),
    { digest: digestOf(1), tag: '2.0', sites: ['north', 'south'] },
  );
});
