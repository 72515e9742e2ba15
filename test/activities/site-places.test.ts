import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { sitePlaces } from '../../activities/site-places.ts';
import { Failure } from '../../domain/failure.ts';
import type { SyncWindow } from '../../domain/resources/edge-site.ts';
import type { SyncPlan } from '../../domain/sync/plan.ts';
import type { SiteBeat, SiteTerms } from '../../domain/sync/site-terms.ts';
import { SiteLimits } from '../../infra/copy/site-limits.ts';
import { inActivity } from '../support/in-activity.ts';
import { planOf } from '../support/sync-scene.ts';

const syncWindow: SyncWindow = { periods: [{ from: '22:00', to: '06:00' }] };
const version = (generation: number, more: Partial<SiteTerms> = {}): SiteTerms => ({
  site: 'plant',
  since: '2026-03-01T00:00:00Z',
  generation,
  ...more,
});
const planned = (limits: NonNullable<SyncPlan['sites'][number]['limits']>): SyncPlan =>
  planOf('terms', { sites: [{ site: 'plant', queue: 'site-plant', limits }] });

/** Places of a site to whose runs `told` is said; undefined where Temporal is away. */
function scene(own: { readonly bandwidth?: number } = {}) {
  const limits = new SiteLimits();
  const hub: { told: SiteTerms | undefined; away: boolean } = { told: undefined, away: false };
  const endpoint = () => Promise.reject(new Failure('Internal'));
  const places = sitePlaces({
    site: 'plant',
    limits,
    own,
    told: {
      newest: async () => {
        if (hub.away) throw new Failure('EngineUnavailable');
        return hub.told;
      },
    },
    sourceAt: endpoint,
    targetAt: endpoint,
    lookEveryMs: 5,
  });
  const begin = (plan: SyncPlan) => inActivity(() => assert.rejects(places.target('plant', plan), Failure));
  const state = () => [limits.limiter('plant').rate, limits.window('plant')];
  return { places, hub, begin, state };
}

test('a copy at a site begins with the newest of what its plan, other runs and the hub say', async () => {
  const { hub, begin, state } = scene();
  await begin(planned(version(2, { bandwidth: 2000, syncWindow })));
  assert.deepEqual(state(), [2000, syncWindow]);
  await begin(planned(version(1, { bandwidth: 1000 })));
  assert.deepEqual(state(), [2000, syncWindow], 'a run that was planned before an edit');
  hub.told = version(4, { bandwidth: 4000 });
  await begin(planned(version(2)));
  assert.deepEqual(state(), [4000, undefined]);
  await begin(planned({ bandwidth: 10 }));
  assert.deepEqual(state(), [4000, undefined], 'a plan of long ago, without a version');
});

test('a plan without a version counts where nothing with one is known', async () => {
  const { begin, state } = scene();
  await begin(planned({ bandwidth: 2000, syncWindow }));
  await begin(planned({ bandwidth: 3000 }));
  assert.deepEqual(state(), [3000, undefined]);
});

test('an edit reaches a copy under way, which says by what it goes and how far it is; Temporal may be away meanwhile', async () => {
  const { places, hub, begin, state } = scene();
  const plan = planned(version(1, { bandwidth: 1000 }));
  await begin(plan);
  const said: SiteBeat[] = [];
  const position = { before: 1, of: 4 };
  await inActivity(async () => {
    const report = places.report(plan.claim, position, { tell: (beat) => void said.push(beat as SiteBeat) });
    assert.deepEqual(said.at(-1), {
      site: 'plant',
      uid: 'u1',
      position,
      doneBytes: 0,
      totalBytes: 0,
      terms: version(1, { bandwidth: 1000 }),
    });
    report.tell({ doneBytes: 30, totalBytes: 100 });
    hub.away = true;
    await sleep(30);
    assert.deepEqual(state(), [1000, undefined]);
    Object.assign(hub, { away: false, told: version(2, { syncWindow }) });
    await sleep(50);
    assert.deepEqual(state(), [undefined, syncWindow]);
    await report.close();
  });
  assert.deepEqual(said.at(-1), {
    site: 'plant',
    uid: 'u1',
    position,
    doneBytes: 30,
    totalBytes: 100,
    terms: version(2, { syncWindow }),
  });
  const before = said.length;
  await sleep(30);
  assert.equal(said.length, before, 'nothing is said after its end');
});

test('what the site itself says of bandwidth goes before every edit, and its window does not', async () => {
  const { hub, begin, state } = scene({ bandwidth: 77 });
  await begin(planned(version(1, { bandwidth: 1000 })));
  hub.told = version(2, { bandwidth: 2000, syncWindow });
  await begin(planned(version(1)));
  assert.deepEqual(state(), [77, syncWindow]);
});

test('work for another site is refused', async () => {
  const { places } = scene();
  const refused = (error: Failure): boolean => error.code === 'SiteUnavailable';
  await inActivity(() => assert.rejects(places.target('elsewhere', planOf('other')), refused));
});
