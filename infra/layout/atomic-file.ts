import { mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { mediaFailure } from './media-failure.ts';

let files = 0;

/**
 * Replaces a file so that a crash or a power loss leaves the old or the new one, never half: temporary file, fsync,
 * rename, fsync of the folder. Throws `DiskFull` or `MediaError`; then the old file is still there.
 */
export async function writeFileAtomically(path: string, bytes: Uint8Array, mode = 0o644): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}-${(files += 1)}.tmp`);
  try {
    await mkdir(dirname(path), { recursive: true });
    const handle = await open(temporary, 'w', mode);
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw mediaFailure(error, basename(path));
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
