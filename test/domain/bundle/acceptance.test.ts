import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acceptBundle, type AcceptanceInput } from '../../../domain/bundle/acceptance.ts';
import {
  adoptRoot,
  begin,
  commit,
  firstState,
  parseState,
  printState,
  type SiteState,
} from '../../../domain/bundle/site-state.ts';
import { parseSiteName } from '../../../domain/names/kubernetes-name.ts';
import { utf8 } from '../../../domain/trust/bytes.ts';
import { codeOf } from '../../support/refusal.ts';
import { digestOf, statementOf } from '../../support/signed-samples.ts';

const site = parseSiteName('plant-7');
const now = Date.parse('2026-11-10T00:00:00Z');
const three = { sequence: 3, digest: digestOf('3') };
const atThree: SiteState = {
  site,
  rootVersion: 1,
  committedSequence: 3,
  committedDigest: three.digest,
  maxSeenTime: '2026-10-01T00:00:00.000Z',
  committed: [{ sequence: 2, digest: digestOf('2') }, three],
};
const digest = digestOf('4');

interface Row {
  readonly why: string;
  readonly state?: Partial<SiteState>;
  readonly statement?: Parameters<typeof statementOf>[0];
  readonly input?: Partial<AcceptanceInput>;
  readonly verdict: string;
}

const rows: readonly Row[] = [
  { why: 'the next delta on the committed base', verdict: 'import' },
  {
    why: 'L16 made for another site',
    statement: { site: parseSiteName('plant-8') },
    verdict: 'WrongAudience',
  },
  { why: 'expired', statement: { expires: '2026-11-09T00:00:00.000Z' }, verdict: 'BundleExpired' },
  {
    why: 'M05 expired by proven time, though the clock was set back a little',
    state: { maxSeenTime: '2026-12-01T12:00:00.000Z' },
    input: { now: Date.parse('2026-11-30T23:00:00Z') },
    verdict: 'BundleExpired',
  },
  { why: 'M05 the clock says 1970', input: { now: 0 }, verdict: 'ClockImplausible' },
  { why: 'M05 1970, and a person vouches', input: { now: 0, acceptClock: true }, verdict: 'import' },
  {
    why: 'M05 1970, a person vouches, but the bundle is past proven time',
    state: { maxSeenTime: '2026-12-02T00:00:00.000Z' },
    input: { now: 0, acceptClock: true },
    verdict: 'BundleExpired',
  },
  { why: 'M05 the clock says 2099', input: { now: Date.parse('2099-01-01') }, verdict: 'ClockImplausible' },
  {
    why: 'M05 2099, and a person vouches',
    input: { now: Date.parse('2099-01-01'), acceptClock: true },
    verdict: 'import',
  },
  {
    why: 'M01 older than the committed one',
    statement: { sequence: 2, prevSequence: 1 },
    verdict: 'Rollback',
  },
  {
    why: 'M02 same number, other content',
    statement: { sequence: 3, prevSequence: 2 },
    verdict: 'Equivocation',
  },
  {
    why: 'same number, same content',
    statement: { sequence: 3, prevSequence: 2 },
    input: { digest: three.digest },
    verdict: 'replay',
  },
  { why: 'begun before', state: { pending: { sequence: 4, digest } }, verdict: 'resume' },
  {
    why: 'M02 begun before with other content',
    state: { pending: { sequence: 4, digest: digestOf('5') } },
    verdict: 'Equivocation',
  },
  {
    why: 'older than a begun one',
    state: { pending: { sequence: 5, digest: digestOf('5') } },
    verdict: 'Rollback',
  },
  {
    why: 'M03 a gap on a base that is there',
    statement: { sequence: 9, prevSequence: 8 },
    verdict: 'import',
  },
  {
    why: 'M03 K13 a base that never arrived',
    statement: { sequence: 9, prevSequence: 8, base: { sequence: 8, digest: digestOf('8') } },
    verdict: 'BaseMissing',
  },
  {
    why: 'K13 a base of another history',
    statement: { prevSequence: 1, base: { sequence: 3, digest: digestOf('9') } },
    verdict: 'BaseMissing',
  },
  {
    why: 'M03 a full bundle after any gap',
    statement: { sequence: 9, prevSequence: 8, base: undefined, assumed: [] } as never,
    verdict: 'import',
  },
  {
    why: 'a predecessor that is not ours',
    statement: { prevManifestDigest: digestOf('9') },
    verdict: 'Equivocation',
  },
  { why: 'M18 the floor that a person set', state: { committedSequence: 4 }, verdict: 'Rollback' },
];

for (const { why, state, statement, input, verdict } of rows) {
  test(`${why}: ${verdict}`, () => {
    const { committedDigest, ...rest } = { ...atThree, ...state };
    const given =
      state?.committedSequence === undefined
        ? { ...rest, ...(committedDigest ? { committedDigest } : {}) }
        : rest;
    let answer = '';
    const code = codeOf(() => {
      answer = acceptBundle({ statement: statementOf(statement), digest, state: given, now, ...input });
    });
    assert.equal(code === 'ok' ? answer : code, verdict);
  });
}

test('a commit moves the sequence, ends what was begun and believes only signed times', () => {
  const begun = begin(atThree, { sequence: 4, digest });
  assert.equal(begun.committedSequence, 3);
  const done = commit(begun, statementOf(), digest);
  assert.deepEqual(
    [done.committedSequence, done.committedDigest, done.pending, done.maxSeenTime],
    [4, digest, undefined, '2026-11-01T00:00:00.000Z'],
  );
  assert.equal(done.committed.length, 3);
});

test('a root that resets the sequence opens the way back, any other does not', () => {
  assert.equal(adoptRoot(atThree, { version: 2, resetsSequence: false }).committedSequence, 3);
  assert.equal(adoptRoot(atThree, { version: 2, resetsSequence: true }).committedSequence, 0);
});

test('L13 a state is read whole or not at all', () => {
  const states = [
    atThree,
    begin(atThree, { sequence: 4, digest }),
    firstState(site, 2, '2026-11-01T00:00:00.000Z', 7),
  ];
  for (const state of states) {
    const bytes = printState(state);
    assert.deepEqual(parseState(bytes), state);
    for (let cut = 0; cut < bytes.length - 2; cut += 7) {
      assert.equal(
        codeOf(() => parseState(bytes.subarray(0, cut))),
        'StateLost',
      );
    }
  }
  assert.equal(
    codeOf(() => parseState(utf8('{"stateFormat":1}'))),
    'StateLost',
  );
});
