import { S3ServiceException } from '@aws-sdk/client-s3';
import { Failure, type FailureCode } from '../../domain/failure.ts';

/** The HTTP status of an error of the store; undefined where no answer came. */
export function statusOf(error: unknown): number | undefined {
  return error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
}

/** Whether the object is not there. A bucket that is not there says nothing about an object. */
export const isAbsent = (error: unknown): boolean =>
  statusOf(error) === 404 && !(error instanceof Error && error.name === 'NoSuchBucket');

const codes: Readonly<Record<string, FailureCode>> = {
  QuotaExceeded: 'QuotaExceeded',
  EntityTooLarge: 'ObjectTooLarge',
  RequestTimeTooSkewed: 'ClockSkew',
  AccessDenied: 'Forbidden',
  InvalidAccessKeyId: 'Unauthorized',
  SignatureDoesNotMatch: 'Unauthorized',
  ExpiredToken: 'Unauthorized',
  InvalidToken: 'Unauthorized',
};

/** What a person can do something about, in our words. */
const words: Readonly<Record<string, string>> = {
  NoSuchBucket: 'there is no such bucket',
  InvalidAccessKeyId: 'the object store does not know AWS_ACCESS_KEY_ID',
  SignatureDoesNotMatch: 'AWS_SECRET_ACCESS_KEY is not the one of the key',
  ExpiredToken: 'the session token has ended',
  InvalidToken: 'the session token is not valid',
  CredentialsProviderError: 'no AWS keys were found',
};

/** What an error of the object store means. `subject` is a key; the store's own words may hold a signed URL and stay out. */
export function storageFailure(error: unknown, subject: string): Failure {
  if (error instanceof Failure) return error;
  const name = error instanceof Error ? error.name : '';
  const status = statusOf(error);
  const detail = [status === undefined ? [] : `HTTP ${status}`, words[name] ?? []].flat().join(': ');
  return new Failure(codeOf(name, status), {
    side: 'storage',
    subject,
    ...(detail === '' ? {} : { detail }),
    cause: error,
  });
}

function codeOf(name: string, status: number | undefined): FailureCode {
  if (name === 'AbortError') return 'Cancelled';
  return codes[name] ?? (status === 403 ? 'Forbidden' : 'StorageUnavailable');
}
