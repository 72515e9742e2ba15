import assert from 'node:assert/strict';
import { Failure, type FailureCode } from '../../domain/failure.ts';

/** A check for `assert.throws` and `assert.rejects`: the error is a Failure of this code, and its message matches. */
export function isCode(code: FailureCode, message?: RegExp): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof Failure, `expected ${code}, got ${String(error)}`);
    assert.equal(error.code, code);
    if (message !== undefined) assert.match(error.message, message);
    return true;
  };
}
