import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isNewer, isNews, type SiteTerms } from '../../../domain/sync/site-terms.ts';

const periods = [{ days: ['Mon'], from: '22:00', to: '06:00' }] as const;
const known: SiteTerms = {
  site: 'plant',
  since: '2026-03-01T00:00:00Z',
  generation: 3,
  bandwidth: 5000,
  syncWindow: { periods },
};

for (const [what, change, newer, news] of [
  ['the same version', {}, false, false],
  ['an older version', { generation: 2, bandwidth: 9000 }, false, false],
  ['a newer version with another limit', { generation: 4, bandwidth: 9000 }, true, true],
  ['a newer version with no limit', { generation: 4, bandwidth: undefined }, true, true],
  [
    'a newer version with another time',
    { generation: 4, syncWindow: { periods: [{ ...periods[0], to: '05:00' }] } },
    true,
    true,
  ],
  [
    'a newer version with another zone',
    { generation: 4, syncWindow: { timeZone: 'Asia/Shanghai', periods } },
    true,
    true,
  ],
  ['a newer version without a window', { generation: 4, syncWindow: undefined }, true, true],
  [
    'a newer version that says the same, in another order',
    { generation: 4, syncWindow: { periods: [{ to: '06:00', from: '22:00', days: ['Mon'] }] } },
    true,
    false,
  ],
  [
    'a site that was deleted and made anew',
    { since: '2026-03-02T00:00:00Z', generation: 1, bandwidth: 7000 },
    true,
    true,
  ],
  [
    'what a site that was deleted said',
    { since: '2026-02-01T00:00:00Z', generation: 9, bandwidth: 7000 },
    false,
    false,
  ],
] as const) {
  test(`${what} is ${newer ? '' : 'not '}newer, and ${news ? '' : 'no '}news for a copy that runs`, () => {
    const { bandwidth, syncWindow, ...rest } = { ...known, ...change };
    const terms: SiteTerms = {
      ...rest,
      ...(bandwidth === undefined ? {} : { bandwidth }),
      ...(syncWindow === undefined ? {} : { syncWindow }),
    };
    assert.deepEqual([isNewer(terms, known), isNews(terms, known)], [newer, news]);
  });
}
