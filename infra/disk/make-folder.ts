import { mkdirSync, statSync } from 'node:fs';
import { mkdir, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Failure } from '../../domain/failure.ts';
import { printable } from '../../domain/names/digest.ts';
import { mediaFailure } from './media-failure.ts';

/** What another path would mend; anything else is the medium's. */
const unfit = new Set(['ENOENT', 'ENOTDIR', 'EEXIST', 'EACCES', 'EPERM', 'EROFS', 'ENAMETOOLONG', 'ELOOP']);

/**
 * Makes a folder, with those above it that are missing; each survives a power loss. Throws `InvalidRequest` where there
 * cannot be one of that name, `DiskFull` or `MediaError`. Node's own `recursive` never ends below a folder such as `/proc`,
 * which is there and says that it is not when something is made in it.
 */
export async function makeFolder(path: string, mode = 0o777): Promise<void> {
  try {
    await make(path, mode);
  } catch (error) {
    throw folderFailure(error, path);
  }
}

/** The same for those who cannot wait for it, without the care for power losses. */
export function makeFolderSync(path: string, mode = 0o777): void {
  try {
    makeSync(path, mode);
  } catch (error) {
    throw folderFailure(error, path);
  }
}

async function make(path: string, mode: number, withParents = true): Promise<void> {
  try {
    await mkdir(path, mode);
  } catch (error) {
    if (isThere(error, await stat(path).catch(() => undefined))) return;
    if (codeOf(error) !== 'ENOENT' || !withParents) throw error;
    await make(dirname(path), mode);
    return make(path, mode, false);
  }
  // A parent that may not be read cannot be synced, and is no reason to stop.
  await syncFolder(dirname(path)).catch(() => undefined);
}

function makeSync(path: string, mode: number, withParents = true): void {
  try {
    mkdirSync(path, mode);
  } catch (error) {
    if (isThere(error, statSync(path, { throwIfNoEntry: false }))) return;
    if (codeOf(error) !== 'ENOENT' || !withParents) throw error;
    makeSync(dirname(path), mode);
    makeSync(path, mode, false);
  }
}

/** Makes renames and new names inside a folder survive a power loss. */
export async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : '';
const isThere = (error: unknown, found: { isDirectory(): boolean } | undefined): boolean =>
  codeOf(error) === 'EEXIST' && found?.isDirectory() === true;

function folderFailure(error: unknown, path: string): Failure {
  const code = codeOf(error);
  if (!unfit.has(code)) return mediaFailure(error, printable(path));
  const detail = `no folder can be made there: ${code}`;
  return new Failure('InvalidRequest', { side: 'caller', subject: printable(path), detail, cause: error });
}
