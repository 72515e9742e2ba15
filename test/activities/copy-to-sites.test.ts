import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import type { CopyDependencies } from '../../activities/copy-places.ts';
import { copyImageToSites, type ManyCopyOrder, type SiteCopy } from '../../activities/copy-to-sites.ts';
import { copyImage, type CopyOrder } from '../../activities/copy-image.ts';
import { Failure } from '../../domain/failure.ts';
import type { Descriptor } from '../../domain/image/descriptor.ts';
import type { SyncWindow } from '../../domain/resources/edge-site.ts';
import { parseTag } from '../../domain/names/tag.ts';
import { SiteLimits } from '../../infra/copy/site-limits.ts';
import { FaultWorld, sourcePath, targetPath } from '../support/faults/world.ts';
import { answers } from '../support/misbehaving-registry/behaviours.ts';
import { sampleImage } from '../support/misbehaving-registry/images.ts';
import type { MisbehavingRegistry } from '../support/misbehaving-registry/registry.ts';
import { problem } from '../support/misbehaving-registry/registry-state.ts';
import { rejection } from '../support/refusal.ts';
import { planOf } from '../support/sync-scene.ts';

const image = sampleImage('sites', [200_000, 5000]);
const names = ['north', 'south', 'west'] as const;
const closed: SyncWindow = { periods: [{ from: '00:00', to: '00:01' }] };

interface Stage {
  readonly world: FaultWorld;
  readonly source: MisbehavingRegistry;
  readonly sites: ReadonlyMap<string, MisbehavingRegistry>;
  readonly deps: CopyDependencies;
  readonly pulls: boolean[];
  readonly root: () => Promise<Descriptor>;
  readonly run: () => Promise<readonly SiteCopy[]>;
}

async function stage(t: TestContext): Promise<Stage> {
  const world = new FaultWorld();
  t.after(() => world.close());
  const source = await world.registry();
  source.hold(sourcePath, image, 'v1');
  const sites = new Map<string, MisbehavingRegistry>();
  for (const name of names) sites.set(name, await world.registry());
  const pulls: boolean[] = [];
  const deps: CopyDependencies = {
    engine: world.engine,
    fence: { isCurrent: async () => true },
    pulls: { count: (_registry, _image, ok) => void pulls.push(ok) },
    limits: new SiteLimits(),
    // Noon, when the window above is closed.
    now: () => Date.parse('2026-03-01T12:00:00Z'),
    places: {
      source: async () => world.endpoint(source, sourcePath),
      async target(site) {
        const registry = sites.get(site);
        if (registry === undefined)
          throw new Failure('SiteUnavailable', { side: 'destination', subject: site });
        return world.endpoint(registry, targetPath);
      },
      stillWanted: async () => {},
      telling: (_order, step) => step(),
      report: () => ({ tell: () => {}, close: async () => {} }),
    },
  };
  const root = async (): Promise<Descriptor> =>
    (await world.engine.resolve(world.endpoint(source, sourcePath), parseTag('v1'))) ?? assert.fail();
  const run = async (): Promise<readonly SiteCopy[]> => {
    const order = {
      plan: planOf('sites'),
      tag: 'v1',
      root: await root(),
      sites: [...names, 'nowhere'],
      position: { before: 0, of: 4, together: 4 },
      recheck: false,
    };
    const env = new MockActivityEnvironment(undefined, { logger: new DefaultLogger('ERROR') });
    return env.run<[CopyDependencies, ManyCopyOrder], readonly SiteCopy[], typeof copyImageToSites>(
      copyImageToSites,
      deps,
      order,
    );
  };
  return { world, source, sites, deps, pulls, root, run };
}

const told = (copies: readonly SiteCopy[]): readonly string[] =>
  copies.map((copy) =>
    'report' in copy
      ? `${copy.site} done`
      : 'failure' in copy
        ? `${copy.site} ${copy.failure.code}`
        : `${copy.site} until ${copy.pause.pausedUntil}`,
  );

test('every site has its own result, from one read upstream and as one pull', async (t) => {
  const { world, source, sites, pulls, run } = await stage(t);
  sites.get('south')?.script({ method: 'POST|PUT' }, answers(problem(403, 'DENIED')));
  assert.deepEqual(told(await run()), [
    'north done',
    'south Forbidden',
    'west done',
    'nowhere SiteUnavailable',
  ]);
  for (const name of ['north', 'west']) {
    const site = sites.get(name);
    if (site !== undefined) world.landed(site, image);
  }
  const read = world.trace
    .find('GET', '/blobs/', source.origin)
    .reduce((sum, entry) => sum + entry.responseBytes, 0);
  assert.equal(
    read,
    image.blobs.reduce((sum, blob) => sum + blob.byteLength, 0),
  );
  assert.deepEqual(pulls, [true]);
});

test('a site whose window is closed waits, and is not touched', async (t) => {
  const { world, sites, deps, run } = await stage(t);
  deps.limits.learn('west', { syncWindow: closed });
  const result = told(await run());
  assert.deepEqual(result.slice(0, 2), ['north done', 'south done']);
  assert.match(result[2] ?? '', /^west until 2026-03-02T00:00:00Z/);
  assert.equal(world.trace.count('GET|HEAD|POST|PUT', '', sites.get('west')?.origin), 0);
});

test('a window that closes on the way says how much was moved before, alone and beside others', async (t) => {
  const size = image.blobs.reduce((sum, blob) => sum + blob.byteLength, 0);
  for (const alone of [true, false]) {
    const { deps, run, root } = await stage(t);
    deps.limits.learn('west', { bandwidth: 40_000 });
    const tell = ({ movedBytes = 0 }: { readonly movedBytes?: number }): void => {
      // The sites without a limit come first.
      if (movedBytes > (alone ? 0 : 2 * size))
        deps.limits.learn('west', { bandwidth: 40_000, syncWindow: closed });
    };
    Object.assign(deps, { places: { ...deps.places, report: () => ({ tell, close: async () => {} }) } });
    const west = alone
      ? await runAlone(deps, await root())
      : (await run()).find(({ site }) => site === 'west');
    assert.ok(west !== undefined && 'pause' in west, JSON.stringify(west));
    const { bytesMoved = 0 } = west.pause;
    assert.ok(bytesMoved > 0 && bytesMoved <= size, `${bytesMoved} bytes of ${size}`);
  }
});

/** The step for one site, as if it were one of several. */
async function runAlone(deps: CopyDependencies, root: Descriptor): Promise<SiteCopy> {
  const order = {
    plan: planOf('sites'),
    tag: 'v1',
    root,
    site: 'west',
    position: { before: 0, of: 1 },
    recheck: false,
  };
  const env = new MockActivityEnvironment(undefined, { logger: new DefaultLogger('ERROR') });
  const copied = await env.run<
    [CopyDependencies, CopyOrder],
    Awaited<ReturnType<typeof copyImage>>,
    typeof copyImage
  >(copyImage, deps, order);
  return 'pausedUntil' in copied ? { site: order.site, pause: copied } : { site: order.site, report: copied };
}

test('something of ours that is away fails the step, so that no try of the user is spent', async (t) => {
  const { deps, run } = await stage(t);
  const places = {
    ...deps.places,
    stillWanted: async () => {
      throw new Failure('ClusterUnavailable', { side: 'cluster' });
    },
  };
  Object.assign(deps, { places });
  await rejection('ClusterUnavailable', run());
});
