import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalJson, type CanonicalValue } from '../../../domain/audit/canonical-json.ts';

const rows: readonly (readonly [CanonicalValue, string])[] = [
  [{ b: 1, a: 2 }, '{"a":2,"b":1}'],
  [{ a: undefined, b: [] }, '{"b":[]}'],
  // RFC 8785, section 3.2.2: the example of its own
  [
    {
      numbers: [333333333.3333333, 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
      string: '\u20ac$\u000f\u000aA\'\u0042\u0022\u005c\\"/',
      literals: [null, true, false],
    },
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
  ],
  // section 3.2.3: sorted by UTF-16 code units, not by code points
  [
    { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\ud83d\ude00': 5, '\u0080': 6, '\u00f6': 7 },
    '{"\\r":2,"1":4,"\u0080":6,"ö":7,"€":1,"😀":5,"\ufb33":3}',
  ],
  [-0, '0'],
];

for (const [value, text] of rows) {
  test(`canonical JSON prints ${text.slice(0, 40)}`, () => assert.equal(canonicalJson(value), text));
}

test('what JSON has no form for is refused', () => {
  assert.throws(() => canonicalJson(Number.NaN), RangeError);
  assert.throws(() => canonicalJson({ a: [Number.POSITIVE_INFINITY] }), RangeError);
  assert.throws(() => canonicalJson('\ud800'), TypeError);
});
