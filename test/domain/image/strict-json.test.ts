import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseStrictJson, type JsonValue } from '../../../domain/image/strict-json.ts';
import { codeOf, refusal } from '../../support/refusal.ts';
import { cpuTime } from '../../support/cpu-time.ts';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const parse = (text: string, maxDepth = 64): JsonValue =>
  parseStrictJson(encode(text), { code: 'InvalidManifest', maxDepth });

const refused: readonly (readonly [what: string, text: string])[] = [
  ['a duplicate key', '{"a":1,"a":1}'],
  ['a duplicate key written with an escape', '{"a":1,"\\u0061":2}'],
  ['a duplicate key deep inside', '{"x":[{"y":{"a":1,"b":2,"a":3}}]}'],
  ['__proto__', '{"__proto__":{"polluted":true}}'],
  ['an escaped __proto__', '{"__proto\\u005f_":1}'],
  ['a byte order mark', '\ufeff{}'],
  ['trailing garbage', '{} x'],
  ['a second document', '{}{}'],
  ['a trailing comma', '[1,]'],
  ['a trailing comma in an object', '{"a":1,}'],
  ['a comment', '{/* */}'],
  ['single quotes', "{'a':1}"],
  ['a bare key', '{a:1}'],
  ['NaN', '[NaN]'],
  ['a leading zero', '[01]'],
  ['a plus sign', '[+1]'],
  ['a fraction without digits', '[1.]'],
  ['hexadecimal', '[0x10]'],
  ['an integer beyond 2^53', '[9007199254740993]'],
  ['2^62', '[4611686018427387904]'],
  ['an integer beyond 2^53 with an exponent', '[1e300]'],
  ['an overflow', '[1e999]'],
  ['a raw newline in a string', '["a\nb"]'],
  ['a raw tab in a string', '["a\tb"]'],
  ['NUL between tokens', '{\u0000}'],
  ['a no-break space between tokens', '[\u00a01]'],
  ['half a surrogate pair', '["\\ud800"]'],
  ['an unknown escape', '["\\x41"]'],
  ['a short escape', '["\\u12"]'],
  ['an open string', '["a'],
  ['an open array', '[1'],
  ['an open object', '{"a":1'],
  ['nothing', ''],
  ['only space', ' \n'],
  ['a cut word', '[tru]'],
];

for (const [what, text] of refused) {
  test(`strict JSON refuses ${what}`, () => {
    refusal('InvalidManifest', () => parse(text));
  });
}

test('strict JSON refuses bytes that are not UTF-8', () => {
  for (const bytes of [
    [0x22, 0xff, 0x22],
    [0x22, 0xc0, 0x80, 0x22],
    [0x22, 0xed, 0xa0, 0x80, 0x22],
    [0x22, 0xe2, 0x82],
  ]) {
    refusal('InvalidManifest', () => parseStrictJson(Uint8Array.from(bytes), { code: 'InvalidManifest' }));
  }
});

test('strict JSON counts nesting, and refuses a million brackets at once', () => {
  assert.equal(
    codeOf(() => parse('[[[]]]', 3)),
    'ok',
  );
  assert.equal(
    codeOf(() => parse('[[[[]]]]', 3)),
    'InvalidManifest',
  );
  assert.equal(
    codeOf(() => parse('{"a":{"a":{"a":{}}}}', 3)),
    'InvalidManifest',
  );
  const start = cpuTime();
  assert.equal(
    codeOf(() => parse('['.repeat(1_000_000))),
    'InvalidManifest',
  );
  assert.ok(cpuTime() - start < 1000);
});

test('strict JSON refuses more bytes than allowed without reading them', () => {
  refusal('BadTokenResponse', () =>
    parseStrictJson(encode('[1,2]'), { code: 'BadTokenResponse', maxBytes: 4 }),
  );
});

test('a refusal never quotes the text', () => {
  const failure = refusal('BadTokenResponse', () =>
    parseStrictJson(encode('{"token":"s3cret" oops'), { code: 'BadTokenResponse' }),
  );
  assert.ok(!failure.message.includes('s3cret'));
});

test('objects have no prototype, so no key is there that was not written', () => {
  const value = parse('{"constructor":1}');
  assert.ok(typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === null);
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
});

test('strict JSON agrees with JSON.parse on everything that JSON.stringify writes', () => {
  const unambiguous = fc.jsonValue().filter((value) => !/__proto__|\\ud[89a-f]/i.test(JSON.stringify(value)));
  fc.assert(
    fc.property(unambiguous, fc.constantFrom(0, 1, 2), (value, space) => {
      const text = JSON.stringify(value, undefined, space);
      if (!hasUnsafeInteger(value))
        assert.equal(JSON.stringify(parse(text)), JSON.stringify(JSON.parse(text)));
    }),
    { numRuns: 5000 },
  );
});

test('whatever strict JSON takes, JSON.parse takes and understands the same', () => {
  const soup = fc.array(
    fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '\\',
      'u0041',
      'a',
      '0',
      '1',
      '-',
      '.',
      'e',
      ' ',
      'null',
      'true',
      '"a"',
    ),
    { maxLength: 24 },
  );
  fc.assert(
    fc.property(soup, (parts) => {
      const text = parts.join('');
      if (codeOf(() => parse(text)) === 'ok') {
        assert.equal(JSON.stringify(parse(text)), JSON.stringify(JSON.parse(text)));
      }
    }),
    { numRuns: 20_000 },
  );
});

test('strict JSON takes linear time: four megabytes of any shape in seconds of processor time, not minutes', () => {
  const size = 4_000_000;
  const shapes: readonly string[] = [
    `["${'a'.repeat(size)}"]`,
    `["${'\\n'.repeat(size / 2)}"]`,
    `[${'1,'.repeat(size / 2)}1]`,
    `[${'{},'.repeat(size / 3)}{}]`,
    `{${Array.from({ length: size / 16 }, (_, index) => `"${index.toString(36)}":0`).join(',')}}`,
    ' '.repeat(size),
    `"${'a'.repeat(size)}`,
  ];
  for (const text of shapes) {
    const start = cpuTime();
    codeOf(() => parseStrictJson(encode(text), { code: 'InvalidManifest', maxBytes: 8 * 1024 * 1024 }));
    assert.ok(cpuTime() - start < 3000, `${text.slice(0, 20)}: ${cpuTime() - start} ms`);
  }
});

function hasUnsafeInteger(value: unknown): boolean {
  if (typeof value === 'number') return Number.isInteger(value) && !Number.isSafeInteger(value);
  if (typeof value !== 'object' || value === null) return false;
  return Object.values(value).some(hasUnsafeInteger);
}
