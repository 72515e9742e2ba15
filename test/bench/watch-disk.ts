import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Samples how much lies below some folders; the returned function stops and tells the most that was seen. */
export function watchDisk(folders: readonly string[]): () => number {
  let most = 0;
  const look = (): void => {
    most = Math.max(
      most,
      folders.reduce((sum, folder) => sum + sizeOf(folder), 0),
    );
  };
  const timer = setInterval(look, 100);
  return () => {
    clearInterval(timer);
    look();
    return most;
  };
}

/** Bytes of all files below a folder; 0 where there is none. */
export function sizeOf(folder: string): number {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true }).reduce(
      (sum, entry) => sum + (entry.isFile() ? fileSize(join(entry.parentPath, entry.name)) : 0),
      0,
    );
  } catch {
    return 0;
  }
}

function fileSize(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
