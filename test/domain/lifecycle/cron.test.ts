import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../../../domain/failure.ts';
import { parseCron } from '../../../domain/lifecycle/cron.ts';

for (const text of [
  '0 3 * * *',
  '*/15 0-6,22 1,15 jan-mar mon-fri',
  ' 5  4 * * 7 ',
  '0 0 31 12 0',
  '10-50/10 * * * *',
]) {
  test(`S03 the cron expression '${text}' is taken`, () =>
    assert.equal(parseCron(text).split(' ').length, 5));
}

for (const text of [
  '',
  '* * * *',
  '* * * * * *',
  '60 * * * *',
  '* 24 * * *',
  '* * 0 * *',
  '* * * 13 *',
  '* * * * 8',
  '5-1 * * * *',
  '*/0 * * * *',
  '@daily',
  '1/2/3 * * * *',
  'a * * * *',
  '1-2-3 * * * *',
]) {
  test(`the cron expression '${text}' is refused`, () =>
    assert.throws(
      () => parseCron(text),
      (error: unknown) => error instanceof Failure && error.code === 'InvalidRule',
    ));
}
