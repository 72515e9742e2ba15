import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  maxChallengeLength,
  parseChallenges,
  planAuthentication,
  type Challenge,
} from '../../../domain/registry/challenge.ts';
import { refusal } from '../../support/refusal.ts';

const plain = (list: readonly Challenge[]): unknown =>
  list.map(({ scheme, parameters, token68 }) => [scheme, Object.fromEntries(parameters), token68]);
const parse = (...headers: string[]): unknown => plain(parseChallenges(headers));

const understood: readonly (readonly [what: string, header: string, expected: unknown])[] = [
  [
    'a registry',
    'Bearer realm="https://a/t",service="s",scope="repository:a/b:pull,push"',
    [['bearer', { realm: 'https://a/t', service: 's', scope: 'repository:a/b:pull,push' }, undefined]],
  ],
  [
    'a scheme in any case and a parameter name in any case',
    'BEARER Realm="x"',
    [['bearer', { realm: 'x' }, undefined]],
  ],
  [
    'spaces around the equals sign',
    'Bearer realm = "x" , service= y',
    [['bearer', { realm: 'x', service: 'y' }, undefined]],
  ],
  ['escaped quotes', String.raw`Basic realm="a \"b\" \\ c"`, [['basic', { realm: 'a "b" \\ c' }, undefined]]],
  [
    'two challenges in one header',
    'Basic realm="a, b", Bearer realm="c",service="d"',
    [
      ['basic', { realm: 'a, b' }, undefined],
      ['bearer', { realm: 'c', service: 'd' }, undefined],
    ],
  ],
  [
    'a scheme alone',
    'Negotiate, Basic realm="x"',
    [
      ['negotiate', {}, undefined],
      ['basic', { realm: 'x' }, undefined],
    ],
  ],
  [
    'a token68',
    'Negotiate YWJj==, Bearer realm="x"',
    [
      ['negotiate', {}, 'YWJj=='],
      ['bearer', { realm: 'x' }, undefined],
    ],
  ],
  ['empty list elements', ', ,Basic realm="x",, ,', [['basic', { realm: 'x' }, undefined]]],
  ['the same value twice', 'Bearer realm="x",realm="x"', [['bearer', { realm: 'x' }, undefined]]],
  ['an empty value', 'Bearer realm="x",scope=""', [['bearer', { realm: 'x', scope: '' }, undefined]]],
  ['nothing', '', []],
];

for (const [what, header, expected] of understood) {
  test(`a challenge with ${what} is understood`, () => assert.deepEqual(parse(header), expected));
}

test('several headers read like one list', () => {
  assert.deepEqual(parse('Basic realm="a"', 'Bearer realm="b"'), parse('Basic realm="a", Bearer realm="b"'));
});

for (const header of [
  'Bearer realm="x',
  String.raw`Bearer realm="x\"`,
  'Bearer realm="x",realm="y"',
  'Bearer realm="x" service="y"',
  'Bearer realm="x"service="y"',
  '"quoted"',
  '=x',
  'Bearer;realm=x',
  `Bearer realm="${'x'.repeat(maxChallengeLength)}"`,
]) {
  test(`the challenge ${header.slice(0, 30)} is refused`, () => {
    refusal('UnexpectedResponse', () => parseChallenges([header]));
  });
}

test('Bearer wins over Basic, and a challenge of neither kind is no plan', () => {
  assert.deepEqual(planAuthentication(parseChallenges(['Basic realm="a", Bearer realm="b"'])), {
    scheme: 'bearer',
    realm: 'b',
  });
  assert.deepEqual(planAuthentication(parseChallenges(['Basic realm="a"'])), { scheme: 'basic' });
  assert.equal(planAuthentication(parseChallenges(['Digest realm="a"'])), undefined);
  refusal('UnexpectedResponse', () => planAuthentication(parseChallenges(['Bearer service="a"'])));
});

test('challenges print and parse back to themselves', () => {
  const word = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);
  const challenge = fc.record({
    scheme: word,
    parameters: fc.dictionary(word, fc.string({ unit: 'grapheme-ascii', maxLength: 20 }), {
      minKeys: 1,
      maxKeys: 4,
    }),
  });
  fc.assert(
    fc.property(fc.array(challenge, { maxLength: 3 }), (list) => {
      const printed = list
        .map(({ scheme, parameters }) => `${scheme} ${printParameters(parameters)}`)
        .join(', ');
      const expected = list.map(({ scheme, parameters }) => [scheme, { ...parameters }, undefined]);
      assert.deepEqual(parse(printed), expected);
    }),
    { numRuns: 3000 },
  );
});

function printParameters(parameters: Readonly<Record<string, string>>): string {
  return Object.entries(parameters)
    .map(([name, value]) => `${name}="${value.replaceAll(/["\\]/g, String.raw`\$&`)}"`)
    .join(',');
}
