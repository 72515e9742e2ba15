import { createHash } from 'node:crypto';
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolderSync } from '../disk/make-folder.ts';
import { isOtherAlive } from '../disk/other-process.ts';
import type { UploadMemory } from './content.ts';

/** Registries throw away what was not finished in a week (distribution's default). */
const maxAgeMs = 7 * 86_400_000;

/** Notes below a process's folder for what it keeps; undefined where it has none. */
export function uploadNotes(stateFolder: string | undefined): UploadFiles | undefined {
  return stateFolder === undefined ? undefined : new UploadFiles(join(stateFolder, 'uploads'));
}

interface Note {
  /** The process that wrote it. Default: not known. */
  readonly pid?: number;
  readonly upload: string;
}

/**
 * Upload memory in a folder, one small file each: survives the process, and several processes may share it. What another
 * one that runs has noted is its own: two that send to one upload spoil it for both.
 */
export class UploadFiles implements UploadMemory {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  recall(key: string): string | undefined {
    const note = readNote(this.#path(key));
    return note === undefined || isAnothers(note) ? undefined : note.upload;
  }

  /** A folder that cannot be written costs only the chance to continue. */
  remember(key: string, upload: string | undefined): void {
    const path = this.#path(key);
    try {
      const there = readNote(path);
      if (there !== undefined && isAnothers(there)) return;
      if (upload === undefined) return rmSync(path, { force: true });
      makeFolderSync(this.#folder, 0o700);
      const temporary = `${path}.${process.pid}`;
      writeFileSync(temporary, `${process.pid}\n${upload}`, { mode: 0o600 });
      renameSync(temporary, path);
    } catch {
      // Nothing to do about it here.
    }
  }

  #path(key: string): string {
    return join(this.#folder, createHash('sha256').update(key).digest('hex'));
  }
}

/** Undefined where there is none, or an old one. */
function readNote(path: string): Note | undefined {
  try {
    if (Date.now() - statSync(path).mtimeMs > maxAgeMs) return undefined;
    const text = readFileSync(path, 'utf8');
    const [, pid, upload] = /^(\d+)\n(.*)$/s.exec(text) ?? [];
    return pid === undefined || upload === undefined ? { upload: text } : { pid: Number(pid), upload };
  } catch {
    return undefined;
  }
}

function isAnothers({ pid }: Note): boolean {
  return pid !== undefined && isOtherAlive(pid);
}
