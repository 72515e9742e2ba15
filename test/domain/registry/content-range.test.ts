import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  judgeResume,
  parseContentRange,
  uploadedBytes,
  type RangeAnswer,
} from '../../../domain/registry/content-range.ts';

test('a byte range is read, and everything that cannot be one is not', () => {
  assert.deepEqual(parseContentRange('bytes 5-9/10'), { first: 5, last: 9, total: 10 });
  assert.deepEqual(parseContentRange('Bytes 5-9/*'), { first: 5, last: 9 });
  for (const text of [
    '',
    'bytes */10',
    'bytes 9-5/10',
    'bytes 5-10/10',
    'bytes 5-9/10, 1-2/10',
    'bytes=5-9/10',
    'items 5-9/10',
    'bytes -1-9/10',
    'bytes 5-99999999999999999/*',
  ]) {
    assert.equal(parseContentRange(text), undefined, text);
  }
});

test('ranges print and parse back to themselves', () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat(), fc.option(fc.nat(), { nil: undefined }), (first, more, rest) => {
      const last = first + more;
      const total = rest === undefined ? undefined : last + 1 + rest;
      const expected = { first, last, ...(total === undefined ? {} : { total }) };
      assert.deepEqual(parseContentRange(`bytes ${first}-${last}/${total ?? '*'}`), expected);
    }),
  );
});

const exact: RangeAnswer = { status: 206, contentRange: ['bytes 4-9/10'], contentLength: 6 };
const verdicts: readonly (readonly [what: string, answer: RangeAnswer, verdict: string])[] = [
  ['an exact 206', exact, 'continue'],
  ['an unknown total', { ...exact, contentRange: ['bytes 4-9/*'] }, 'continue'],
  ['no length', { status: 206, contentRange: ['bytes 4-9/10'] }, 'continue'],
  ['the whole body', { status: 200, contentRange: [] }, 'from-zero'],
  ['another start', { ...exact, contentRange: ['bytes 3-9/10'] }, 'restart'],
  ['another end', { ...exact, contentRange: ['bytes 4-8/10'] }, 'restart'],
  ['another total', { ...exact, contentRange: ['bytes 4-9/11'] }, 'restart'],
  ['another length', { ...exact, contentLength: 7 }, 'restart'],
  ['two ranges', { ...exact, contentRange: ['bytes 4-9/10', 'bytes 4-9/10'] }, 'restart'],
  ['no range', { ...exact, contentRange: [] }, 'restart'],
  ['several parts', { ...exact, contentType: 'multipart/byteranges; boundary=x' }, 'restart'],
  ['a refusal', { status: 416, contentRange: ['bytes */10'] }, 'restart'],
];

test('only an exact 206 is appended to what is there', () => {
  for (const [what, answer, verdict] of verdicts)
    assert.equal(judgeResume(answer, 4, 10).verdict, verdict, what);
});

test('an upload session says how much it holds; 0-0 counts as nothing', () => {
  const table: readonly (readonly [string | undefined, number | undefined])[] = [
    ['0-1048575', 1_048_576],
    ['bytes=0-9', 10],
    ['0-0', 0],
    ['1-5', undefined],
    ['0--1', undefined],
    ['', undefined],
    [undefined, undefined],
  ];
  for (const [text, bytes] of table) assert.equal(uploadedBytes(text), bytes, text);
});
