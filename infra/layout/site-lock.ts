import { resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Failure } from '../../domain/failure.ts';

/** SQLite's result codes for a file that somebody else has locked, and for a disk without room. */
const [busy, full] = [5, 13];

/**
 * Lets one importer at a time work on a site's folder. The lock is the system's own on a file of the folder, taken through
 * SQLite, as Node has no other way to it: it ends with its process, also by kill -9, leaves nothing that anybody would have to
 * take over, and is seen from other containers that mount the folder. Throws `AlreadyRunning`, `DiskFull`, or `MediaError`
 * where the folder takes no locks.
 */
export async function lockSite(folder: string): Promise<() => Promise<void>> {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(resolve(folder, 'import-lock.db'));
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database?.close();
    throw lockFailure(error);
  }
  const held = database;
  return async () => held.close();
}

function lockFailure(error: unknown): Failure {
  const code = error instanceof Error && 'errcode' in error ? error.errcode : undefined;
  if (code === busy) return new Failure('AlreadyRunning', { detail: 'another import runs at this site' });
  const why = error instanceof Error && 'errstr' in error ? String(error.errstr) : 'unknown';
  return new Failure(code === full ? 'DiskFull' : 'MediaError', {
    side: 'storage',
    detail: `the lock of the site’s folder: ${why}`,
    cause: error,
  });
}
