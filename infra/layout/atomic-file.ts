import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { makeFolder, syncFolder } from '../disk/make-folder.ts';
import { mediaFailure } from '../disk/media-failure.ts';

let files = 0;

/**
 * Replaces a file so that a crash or a power loss leaves the old or the new one, never half: temporary file, fsync,
 * rename, fsync of the folder. Throws as {@link makeFolder} does; then the old file is still there.
 */
export async function writeFileAtomically(path: string, bytes: Uint8Array, mode = 0o644): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}-${(files += 1)}.tmp`);
  try {
    await makeFolder(dirname(path));
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
