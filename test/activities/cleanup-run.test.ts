import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ParkingDependencies } from '../../activities/cleanup-dependencies.ts';
import { planKey, readDocument } from '../../activities/cleanup-documents.ts';
import { planCleanup } from '../../activities/cleanup-plan.ts';
import { restoreLeftovers, restoreParked } from '../../activities/cleanup-restore.ts';
import { deleteParked, parkPlan } from '../../activities/cleanup-run.ts';
import { parkedTag } from '../../domain/lifecycle/parking.ts';
import { parseDigest } from '../../domain/names/digest.ts';
import { cleanupScene, type CleanupScene } from '../support/faults/cleanup-scene.ts';
import { FaultWorld, targetPath } from '../support/faults/world.ts';
import { inActivity } from '../support/in-activity.ts';
import { answers } from '../support/misbehaving-registry/behaviours.ts';
import { rejection } from '../support/refusal.ts';

const ref = { namespace: 'default', name: 'p' };
const api = 'image.theriseunion.io/v1alpha1' as const;

interface Ground {
  readonly scene: CleanupScene;
  readonly deps: ParkingDependencies;
  /** False where another worker took over. */
  isCurrent: boolean;
  readonly tags: () => readonly string[];
  /** What the record says of each tag. */
  readonly states: () => Promise<Record<string, string>>;
}

/** A policy that keeps one of the tags, its plan, and everything that carries it out. */
async function onGround(tags: readonly string[], work: (ground: Ground) => Promise<void>): Promise<void> {
  const world = new FaultWorld();
  const scene = await cleanupScene(world, tags);
  await scene.cluster.resource('imagecleanuppolicies').create({
    apiVersion: api,
    kind: 'ImageCleanupPolicy',
    metadata: ref,
    spec: { keepRecent: 1, keepDays: 0 },
  });
  const ground: { isCurrent: boolean } = { isCurrent: true };
  const deps = {
    ...scene.deps,
    parking: scene.parking,
    fence: { isCurrent: async () => ground.isCurrent },
    audit: {
      begin: async () => {},
      end: async () => {},
      around: (_fact: unknown, step: () => never) => step(),
    },
  };
  const states = async (): Promise<Record<string, string>> => {
    const record = await readDocument(scene.deps.documents, planKey(ref));
    return Object.fromEntries((record?.items ?? []).map(({ deletion, state }) => [deletion.tag, state]));
  };
  const all = Object.assign(ground, {
    scene,
    deps,
    states,
    tags: () =>
      [...scene.site.repository(targetPath).tags.keys()].filter((tag) => tag.startsWith('v')).sort(),
  });
  try {
    await work(all);
  } finally {
    await scene.close();
    await world.close();
  }
}

async function planned({ deps }: Ground): Promise<{ readonly ref: typeof ref; readonly hash: string }> {
  const { hash } = await inActivity(() => planCleanup(deps, ref));
  return { ref, hash };
}

const tags = ['v1.0.0', 'v1.1.0', 'v1.2.0'];

test('G06 a planning that was frozen does not write over what became of the plan since', async () => {
  await onGround(tags, async (ground) => {
    const { deps, scene } = ground;
    const frozen = Promise.withResolvers<void>();
    const thawing = Promise.withResolvers<void>();
    const late = inActivity(() =>
      planCleanup(
        {
          ...deps,
          usage: async () => {
            frozen.resolve();
            await thawing.promise;
            return scene.deps.usage();
          },
        },
        ref,
      ),
    );
    await frozen.promise;
    const order = await planned(ground);
    await inActivity(() => parkPlan(deps, order));
    thawing.resolve();
    await rejection('ClusterUnavailable', late);
    assert.deepEqual(await ground.states(), { 'v1.0.0': 'parked', 'v1.1.0': 'parked' });
    await inActivity(() => restoreLeftovers(deps, ref));
    assert.deepEqual(ground.tags(), tags);
  });
});

test('G06 a parking that was frozen takes nothing away, and leaves the record of the one that took over', async () => {
  await onGround(tags, async (ground) => {
    const { deps, scene } = ground;
    const order = await planned(ground);
    const frozen = Promise.withResolvers<void>();
    const thawing = Promise.withResolvers<void>();
    const park: typeof scene.parking.park = async (...where) => {
      frozen.resolve();
      await thawing.promise;
      return scene.parking.park(...where);
    };
    const late = inActivity(() => parkPlan({ ...deps, parking: { ...scene.parking, park } }, order));
    await frozen.promise;
    await inActivity(() => parkPlan(deps, order));
    await inActivity(() => restoreParked(deps, { ...order, tags: [] }));
    ground.isCurrent = false;
    thawing.resolve();
    await rejection('ClusterUnavailable', late);
    assert.deepEqual(await ground.states(), { 'v1.0.0': 'restored', 'v1.1.0': 'restored' });
    assert.deepEqual(ground.tags(), tags);
  });
});

for (const [what, carryOut] of [
  ['parks', parkPlan],
  ['deletes', deleteParked],
] as const)
  test(`G06 a worker that another one replaced ${what} nothing`, async () => {
    await onGround(tags, async (ground) => {
      const order = await planned(ground);
      if (carryOut === deleteParked) await inActivity(() => parkPlan(ground.deps, order));
      const { tags: held } = ground.scene.site.repository(targetPath);
      const before = [...held.keys()];
      ground.isCurrent = false;
      await rejection(
        'Superseded',
        inActivity(() => carryOut(ground.deps, order)),
      );
      for (const tag of before) assert.ok(held.has(tag), tag);
    });
  });

test('a parked tag whose content is gone holds up no other, and no later run', async () => {
  await onGround(tags, async (ground) => {
    const { deps, scene } = ground;
    const order = await planned(ground);
    await inActivity(() => parkPlan(deps, order));
    const content = scene.site.repository(targetPath);
    const lost = parseDigest(scene.images.get('v1.0.0')?.digest ?? '');
    content.tags.delete(parkedTag(lost));
    content.manifests.delete(lost);
    await inActivity(() => restoreLeftovers(deps, ref));
    assert.deepEqual(await ground.states(), { 'v1.0.0': 'skipped', 'v1.1.0': 'restored' });
    assert.deepEqual(ground.tags(), ['v1.1.0', 'v1.2.0']);
    await inActivity(() => restoreLeftovers(deps, ref));
  });
});

test('parked tags of a site that was taken out of the cluster hold up no later run', async () => {
  await onGround(tags, async (ground) => {
    const order = await planned(ground);
    await inActivity(() => parkPlan(ground.deps, order));
    await ground.scene.cluster.resource('edgesites').delete({ name: 'edge' });
    await inActivity(() => restoreLeftovers(ground.deps, ref));
    assert.deepEqual(await ground.states(), { 'v1.0.0': 'skipped', 'v1.1.0': 'skipped' });
  });
});

test('a tag that cannot be put back for now holds up no other, and is put back later', async () => {
  await onGround(tags, async (ground) => {
    const { deps, scene } = ground;
    const order = await planned(ground);
    await inActivity(() => parkPlan(deps, order));
    scene.site.script({ method: 'PUT', path: /\/manifests\/v1\.0\.0$/ }, answers({ status: 403 }));
    await rejection(
      'Forbidden',
      inActivity(() => restoreLeftovers(deps, ref)),
    );
    assert.deepEqual(ground.tags(), ['v1.1.0', 'v1.2.0']);
    scene.site.clearScripts();
    await inActivity(() => restoreLeftovers(deps, ref));
    assert.deepEqual(ground.tags(), tags);
  });
});
