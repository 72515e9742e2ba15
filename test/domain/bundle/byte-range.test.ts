import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRange } from '../../../domain/bundle/byte-range.ts';

const rows = [
  [undefined, 'whole'],
  ['bytes=0-', { from: 0, to: 100 }],
  ['bytes=10-19', { from: 10, to: 20 }],
  ['bytes=90-500', { from: 90, to: 100 }],
  ['bytes=-5', { from: 95, to: 100 }],
  ['bytes=-500', { from: 0, to: 100 }],
  ['bytes=100-', 'unsatisfiable'],
  ['bytes=-0', 'unsatisfiable'],
  ['bytes=20-10', 'whole'],
  ['bytes=0-1,5-6', 'whole'],
  ['bytes=-', 'whole'],
  ['items=0-1', 'whole'],
] as const;

test('a range of a body of 100 bytes is read as RFC 9110 has it', () => {
  for (const [header, expected] of rows) assert.deepEqual(parseRange(header, 100), expected, header);
});
