import { readFileSync } from 'node:fs';
import { Failure } from '../../domain/failure.ts';

/** Reads a file that a person named. Throws `InvalidRequest`, with its path and why, where it cannot be read. */
export function givenFile(path: string): Buffer<ArrayBuffer> {
  try {
    return readFileSync(path);
  } catch (cause) {
    const why = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
    throw new Failure('InvalidRequest', {
      side: 'caller',
      subject: path,
      detail: `the file cannot be read: ${why}`,
      cause,
    });
  }
}
