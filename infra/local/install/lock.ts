import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';

const busy = 5;

/** A lock held by this process. */
export interface Lock extends Disposable {
  release(): void;
}

/**
 * Tries to take the lock file at `path`; undefined where another process holds it. It is SQLite's file lock, so the
 * operating system lets go of it when the holder dies, however it dies, and no stale lock can remain.
 */
export function tryLock(path: string): Lock | undefined {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const file = new DatabaseSync(path, { timeout: 0 });
  try {
    file.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    file.close();
    if (error instanceof Error && 'errcode' in error && error.errcode === busy) return undefined;
    throw error;
  }
  const release = (): void => {
    if (file.isOpen) file.close();
  };
  return { release, [Symbol.dispose]: release };
}

/** Waits for the lock as long as it takes, calling `waiting` once if another process holds it. */
export async function lock(path: string, waiting: () => void): Promise<Lock> {
  for (let tries = 0; ; tries += 1) {
    const held = tryLock(path);
    if (held !== undefined) return held;
    if (tries === 0) waiting();
    await sleep(300);
  }
}
