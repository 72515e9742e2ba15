import { Failure, type FailureSide } from '../../domain/failure.ts';
import type { FailureCode } from '../../domain/failure-catalogue.ts';
import { isJsonArray, isJsonObject, parseStrictJson } from '../../domain/image/strict-json.ts';
import { retryAfterMs } from '../../domain/registry/retry-after.ts';
import type { HttpAnswer } from './http-answer.ts';

/** What a failed request was about. */
export interface RequestSubject {
  readonly side: FailureSide;
  /** Such as `host/path:tag`; no credential, no query. */
  readonly subject: string;
  /** The code of a 404 whose body names none. Default: `NotFound`. */
  readonly missing?: FailureCode;
}

const errorCode = /^[A-Z][A-Z0-9_]{0,63}$/;

/** The error codes of a registry's answer (OCI distribution spec, "Error Codes"); empty for anything else. */
export function registryErrorCodes(answer: HttpAnswer): readonly string[] {
  if (answer.body.byteLength === 0) return [];
  try {
    const body = parseStrictJson(answer.body, { code: 'UnexpectedResponse', maxBytes: 65_536, maxDepth: 32 });
    const errors = isJsonObject(body) ? body['errors'] : undefined;
    if (!isJsonArray(errors)) return [];
    return errors.flatMap((error) => {
      const code = isJsonObject(error) ? error['code'] : undefined;
      return typeof code === 'string' && errorCode.test(code) ? [code] : [];
    });
  } catch {
    return [];
  }
}

const byRegistryCode: Readonly<Record<string, FailureCode>> = {
  NAME_UNKNOWN: 'RepositoryNotFound',
  NOT_FOUND: 'NotFound',
  MANIFEST_UNKNOWN: 'ManifestNotFound',
  UNAUTHORIZED: 'Unauthorized',
  DENIED: 'Forbidden',
  FORBIDDEN: 'Forbidden',
  TOOMANYREQUESTS: 'RateLimited',
  TOO_MANY_REQUESTS: 'RateLimited',
  DIGEST_INVALID: 'DigestMismatch',
};

/** The failure that an answer outside of 2xx stands for. The body is never quoted, only its error code. */
export function answerFailure(answer: HttpAnswer, about: RequestSubject): Failure {
  const codes = registryErrorCodes(answer);
  const wait = pauseOf(answer);
  return new Failure(failureCode(answer, codes, about), {
    side: about.side,
    subject: about.subject,
    detail: [`HTTP ${answer.status}`, ...codes.slice(0, 3)].join(' '),
    ...(wait === undefined ? {} : { retryAfterMs: wait }),
  });
}

/** Milliseconds that the answer asks to wait; undefined where it does not. */
export function pauseOf(answer: HttpAnswer): number | undefined {
  const [retryAfter, xRetryAfter, date] = ['retry-after', 'x-retry-after', 'date'].map((name) =>
    answer.header(name),
  );
  return retryAfterMs(
    {
      ...(retryAfter === undefined ? {} : { retryAfter }),
      ...(xRetryAfter === undefined ? {} : { xRetryAfter }),
      ...(date === undefined ? {} : { date }),
    },
    Date.now(),
  );
}

function failureCode(answer: HttpAnswer, codes: readonly string[], about: RequestSubject): FailureCode {
  const { status } = answer;
  if (status === 404) {
    const named = codes
      .map((code) => byRegistryCode[code])
      .find((code) => code !== undefined && code !== 'NotFound');
    if (named === 'ManifestNotFound' && about.missing === 'TagNotFound') return 'TagNotFound';
    return named ?? about.missing ?? 'NotFound';
  }
  if (status === 401) return 'Unauthorized';
  if (status === 403) return 'Forbidden';
  if (status === 429) return 'RateLimited';
  if (status === 507 || (status >= 500 && mentionsFullDisk(answer))) return full(about);
  if (isReadOnly(status, codes, about)) return 'DestinationReadOnly';
  if ([500, 502, 503, 504].includes(status)) return 'RegistryUnavailable';
  const named = codes.map((code) => byRegistryCode[code]).find((code) => code !== undefined);
  return named ?? 'UnexpectedResponse';
}

function full(about: RequestSubject): FailureCode {
  return about.side === 'destination' ? 'DestinationFull' : 'RegistryUnavailable';
}

/** Registries pass on their storage's error text: Go's `no space left on device`, or the bare errno name. */
function mentionsFullDisk(answer: HttpAnswer): boolean {
  const text = Buffer.from(answer.body.subarray(0, 4096)).toString('latin1').toLowerCase();
  return text.includes('no space left') || text.includes('enospc') || text.includes('quota exceeded');
}

function isReadOnly(status: number, codes: readonly string[], about: RequestSubject): boolean {
  if (about.side !== 'destination') return false;
  return status === 405 || (status === 503 && codes.includes('UNSUPPORTED'));
}
