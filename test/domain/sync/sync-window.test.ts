import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Failure } from '../../../domain/failure.ts';
import type { SyncWindow } from '../../../domain/resources/edge-site.ts';
import { clockAt, firstInstantOf } from '../../../domain/sync/local-time.ts';
import { checkSyncWindow, windowAt } from '../../../domain/sync/sync-window.ts';

const at = (text: string): number => Date.parse(text);
const weekdays = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri'] as const;

const nightly: SyncWindow = { timeZone: 'Asia/Shanghai', periods: [{ from: '22:00', to: '06:00' }] };
const worknights: SyncWindow = {
  timeZone: 'UTC',
  periods: [
    { days: weekdays, from: '22:00', to: '24:00' },
    { days: weekdays, from: '00:00', to: '06:00' },
    { days: ['Sat', 'Sun'], from: '00:00', to: '24:00' },
  ],
};
const newYork = (from: string, to: string): SyncWindow => ({
  timeZone: 'America/New_York',
  periods: [{ from, to }],
});
const always: SyncWindow = { periods: [{ from: '00:00', to: '24:00' }] };

for (const [name, window, now, expected] of [
  ['without a window it is open for good', undefined, '2026-07-01T00:00:00Z', 'open'],
  ['all day every day is open for good', always, '2026-07-01T12:00:00Z', 'open'],
  ['closed in the day, in its own zone', nightly, '2026-07-01T04:00:00Z', 'opens 2026-07-01T14:00:00.000Z'],
  ['open before midnight', nightly, '2026-07-01T14:00:00Z', 'closes 2026-07-01T22:00:00.000Z'],
  ['open after midnight', nightly, '2026-07-01T21:59:59Z', 'closes 2026-07-01T22:00:00.000Z'],
  ['the end is outside', nightly, '2026-07-01T22:00:00Z', 'opens 2026-07-02T14:00:00.000Z'],
  ['periods that touch are one', worknights, '2026-07-01T23:00:00Z', 'closes 2026-07-02T06:00:00.000Z'],
  // Friday 22:00 to Saturday 24:00 and on through Sunday to Monday 06:00.
  ['over a whole weekend', worknights, '2026-07-03T22:30:00Z', 'closes 2026-07-06T06:00:00.000Z'],
  ['a day that is not named', worknights, '2026-07-01T12:00:00Z', 'opens 2026-07-01T22:00:00.000Z'],
  // 8 March 2026: 02:00 becomes 03:00. 1 November 2026: 02:00 becomes 01:00.
  ['short by the leap', newYork('01:00', '04:00'), '2026-03-08T06:30:00Z', 'closes 2026-03-08T08:00:00.000Z'],
  [
    'from a time left out',
    newYork('02:30', '05:00'),
    '2026-03-08T06:00:00Z',
    'opens 2026-03-08T07:00:00.000Z',
  ],
  [
    'to a time left out',
    newYork('01:00', '02:30'),
    '2026-03-08T06:30:00Z',
    'closes 2026-03-08T07:00:00.000Z',
  ],
  [
    'left out as a whole',
    newYork('02:10', '02:50'),
    '2026-03-08T06:00:00Z',
    'opens 2026-03-09T06:10:00.000Z',
  ],
  [
    'long by the clocks set back',
    newYork('00:30', '02:30'),
    '2026-11-01T05:00:00Z',
    'closes 2026-11-01T07:30:00.000Z',
  ],
  [
    'a time that comes twice: the first',
    newYork('01:30', '03:00'),
    '2026-11-01T05:00:00Z',
    'opens 2026-11-01T05:30:00.000Z',
  ],
  [
    'an end that comes twice: the first',
    newYork('00:30', '01:30'),
    '2026-11-01T05:15:00Z',
    'closes 2026-11-01T05:30:00.000Z',
  ],
  [
    'not open again the second time',
    newYork('00:30', '01:30'),
    '2026-11-01T06:15:00Z',
    'opens 2026-11-02T05:30:00.000Z',
  ],
  [
    'seconds count',
    { periods: [{ from: '10:00:05', to: '10:00:09' }] },
    '2026-07-01T10:00:08Z',
    'closes 2026-07-01T10:00:09.000Z',
  ],
  [
    'a week to the next day named',
    { periods: [{ days: ['Wed'], from: '10:00', to: '11:00' }] },
    '2026-07-01T11:00:00Z',
    'opens 2026-07-08T10:00:00.000Z',
  ],
  [
    'half an hour zones',
    { timeZone: 'Asia/Kathmandu', periods: [{ from: '00:00', to: '01:00' }] },
    '2026-07-01T18:20:00Z',
    'closes 2026-07-01T19:15:00.000Z',
  ],
] satisfies readonly (readonly [string, SyncWindow | undefined, string, string])[]) {
  test(`a sync window: ${name}`, () => {
    const state = windowAt(window, at(now));
    const found = !state.open
      ? `opens ${new Date(state.opensAt).toISOString()}`
      : state.closesAt === undefined
        ? 'open'
        : `closes ${new Date(state.closesAt).toISOString()}`;
    assert.equal(found, expected);
  });
}

for (const [name, window] of [
  ['an unknown zone', { timeZone: 'Mars/Olympus', periods: [{ from: '22:00', to: '06:00' }] }],
  ['no time of day', { periods: [{ from: '25:00', to: '06:00' }] }],
  ['minutes beyond 59', { periods: [{ from: '22:00', to: '06:60' }] }],
  ['words', { periods: [{ from: 'night', to: 'morning' }] }],
  ['nothing between', { periods: [{ from: '06:00', to: '06:00:00' }] }],
  ['from 24:00', { periods: [{ from: '24:00', to: '06:00' }] }],
] satisfies readonly (readonly [string, SyncWindow])[]) {
  test(`a sync window with ${name} is refused`, () => {
    assert.throws(
      () => checkSyncWindow(window),
      (error) => error instanceof Failure && error.code === 'InvalidRule',
    );
  });
}

test('what a window says of its ends is true at those ends, in every zone and at every hour', () => {
  const zone = fc.constantFrom(
    'UTC',
    'Asia/Shanghai',
    'America/New_York',
    'Europe/Berlin',
    'Australia/Lord_Howe',
    'America/St_Johns',
    'Pacific/Apia',
    'Africa/Casablanca',
  );
  const time = fc
    .integer({ min: 0, max: 1439 })
    .map((minutes) =>
      [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, '0')).join(':'),
    );
  const period = fc
    .record({
      days: fc.subarray([...weekdays, 'Sat', 'Sun'] as const, { minLength: 1 }),
      from: time,
      to: time,
    })
    .filter(({ from, to }) => from !== to);
  const instant = fc.integer({ min: at('2026-01-01T00:00:00Z'), max: at('2028-01-01T00:00:00Z') });
  const windows = fc.record({ timeZone: zone, periods: fc.array(period, { minLength: 1, maxLength: 3 }) });
  fc.assert(
    fc.property(windows, instant, (window, now) => {
      const state = windowAt(window, now);
      if (state.open && state.closesAt === undefined) return;
      const end = state.open ? (state.closesAt ?? 0) : state.opensAt;
      assert.ok(end > now);
      assert.equal(windowAt(window, end - 1).open, state.open);
      assert.equal(windowAt(window, end).open, !state.open);
    }),
    { numRuns: 150 },
  );
});

test('clocks and instants are each other, except where clocks leap', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4e9 }), (seconds) => {
      const clock = clockAt('Europe/Berlin', seconds * 1000);
      assert.equal(clockAt('Europe/Berlin', firstInstantOf('Europe/Berlin', clock)), clock);
    }),
    { numRuns: 300 },
  );
});
