import { Failure, type FailureDetails } from '../../domain/failure.ts';
import type { FailureCode } from '../../domain/failure-catalogue.ts';

const byErrorCode: Readonly<Record<string, FailureCode>> = {
  ENOTFOUND: 'DNSFailure',
  EAI_AGAIN: 'DNSFailure',
  EAI_FAIL: 'DNSFailure',
  ENODATA: 'DNSFailure',
  ECONNREFUSED: 'ConnectionRefused',
  ETIMEDOUT: 'Timeout',
  ESOCKETTIMEDOUT: 'Timeout',
  ENOSPC: 'DiskFull',
};

const tlsCode =
  /^(?:CERT_|ERR_TLS_|ERR_SSL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH|INVALID_CA|EPROTO$)/;
const parserCode = /^HPE_/;

/** Turns an error of the network layers into the code that says what happened; an abort becomes `Cancelled`. */
export function networkFailure(error: unknown, details: FailureDetails = {}): Failure {
  if (error instanceof Failure) return error;
  const inner = innermost(error);
  const nested = inner as { readonly cause?: unknown };
  if (nested.cause instanceof Failure) return nested.cause;
  const code = errorCode(inner);
  return new Failure(failureCode(inner, code), {
    ...details,
    ...(code === undefined ? {} : { detail: code }),
    cause: error,
  });
}

function failureCode(error: unknown, code: string | undefined): FailureCode {
  if (error instanceof Error && error.name === 'AbortError') return 'Cancelled';
  if (code === undefined) return 'NetworkError';
  if (tlsCode.test(code)) return 'TLSVerificationFailed';
  if (parserCode.test(code)) return 'UnexpectedResponse';
  return byErrorCode[code] ?? 'NetworkError';
}

/** Happy Eyeballs reports one error per address in an AggregateError; others wrap causes. */
function innermost(error: unknown, depth = 0): unknown {
  if (depth > 4) return error;
  if (error instanceof AggregateError && error.errors.length > 0)
    return innermost(error.errors[0], depth + 1);
  if (error instanceof Error && error.cause instanceof Error && errorCode(error) === undefined) {
    return innermost(error.cause, depth + 1);
  }
  return error;
}

function errorCode(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return typeof code === 'string' ? code : undefined;
}
