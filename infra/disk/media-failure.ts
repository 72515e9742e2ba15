import { Failure, type FailureCode } from '../../domain/failure.ts';

const codes: Readonly<Record<string, FailureCode>> = {
  ELOOP: 'NotRegularFile',
  ENXIO: 'NotRegularFile',
  ENOTDIR: 'NotRegularFile',
  EISDIR: 'NotRegularFile',
  ENOSPC: 'DiskFull',
  EDQUOT: 'DiskFull',
  EFBIG: 'DiskFull',
};

/** What a system error of a file means; `subject` is the file's name inside its folder. Failures pass unchanged. */
export function mediaFailure(error: unknown, subject: string): Failure {
  if (error instanceof Failure) return error;
  const system = error instanceof Error && 'code' in error ? String(error.code) : '';
  return new Failure(codes[system] ?? 'MediaError', {
    side: 'storage',
    subject,
    ...(system === '' ? {} : { detail: system }),
    cause: error,
  });
}
