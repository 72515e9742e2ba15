import assert from 'node:assert/strict';
import { Failure, type FailureCode } from '../../domain/failure.ts';

/** The code that a call fails with; anything but a `Failure` is a bug and is thrown on. `ok` where it does not fail. */
export function codeOf(call: () => unknown): FailureCode | 'ok' {
  try {
    call();
    return 'ok';
  } catch (error) {
    if (error instanceof Failure) return error.code;
    throw error;
  }
}

/** Asserts that a call is refused with a code, and returns the failure for a closer look. */
export function refusal(code: FailureCode, call: () => unknown): Failure {
  try {
    call();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    assert.equal(error.code, code, error.message);
    return error;
  }
  return assert.fail(`expected ${code}, but the call succeeded`);
}

/** Asserts that a promise is rejected with one of the codes. */
export async function rejection(
  codes: FailureCode | readonly FailureCode[],
  promise: Promise<unknown>,
): Promise<Failure> {
  const wanted = typeof codes === 'string' ? [codes] : codes;
  try {
    await promise;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    assert.ok(
      wanted.includes(error.code),
      `expected ${wanted.join(' or ')}, got ${error.code}: ${error.message}`,
    );
    return error;
  }
  return assert.fail(`expected ${wanted.join(' or ')}, but it succeeded`);
}
