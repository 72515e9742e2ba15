import { S3ServiceException } from '@aws-sdk/client-s3';
import { Failure, type FailureCode } from '../../domain/failure.ts';

/** The HTTP status of an error of the store; undefined where no answer came. */
export function statusOf(error: unknown): number | undefined {
  return error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
}

const codes: Readonly<Record<string, FailureCode>> = {
  QuotaExceeded: 'QuotaExceeded',
  EntityTooLarge: 'ObjectTooLarge',
  RequestTimeTooSkewed: 'ClockSkew',
  AccessDenied: 'Forbidden',
  InvalidAccessKeyId: 'Unauthorized',
  SignatureDoesNotMatch: 'Unauthorized',
};

/** What an error of the object store means. `subject` is a key; the store's own words may hold a signed URL and stay out. */
export function storageFailure(error: unknown, subject: string): Failure {
  if (error instanceof Failure) return error;
  const name = error instanceof Error ? error.name : '';
  const status = statusOf(error);
  const code = name === 'AbortError' ? 'Cancelled' : (codes[name] ?? 'StorageUnavailable');
  return new Failure(code, {
    side: 'storage',
    subject,
    ...(status === undefined ? {} : { detail: `HTTP ${status}` }),
    cause: error,
  });
}
