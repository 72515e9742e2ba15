import { open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { AuditEntry } from '../../domain/audit/record.ts';
import { Failure } from '../../domain/failure.ts';
import { makeFolder } from '../disk/make-folder.ts';
import { isOtherAlive } from '../disk/other-process.ts';
import type { AuditSpool } from './audit-log.ts';
import { parseEntries } from './parse-record.ts';

/** Entries that may wait; beyond it nothing that must be audited is done any more. */
const maximumEntries = 10_000;

/** A spool in a folder of this machine, one file a process: entries are on the disk before `add` resolves. */
export class FileSpool implements AuditSpool {
  readonly #path: string;
  readonly #entries: AuditEntry[];
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(path: string, entries: AuditEntry[]) {
    this.#path = path;
    this.#entries = entries;
  }

  /** Opens a stream's spool and takes over what processes that are gone have left in it. */
  static async open(folder: string, stream: string): Promise<FileSpool> {
    await makeFolder(folder, 0o700);
    const left: AuditEntry[] = [];
    const taken: string[] = [];
    for (const name of (await readdir(folder)).sort()) {
      const pid = new RegExp(`^${stream}\\.(\\d+)\\.ndjson$`).exec(name)?.[1];
      if (pid === undefined || isOtherAlive(Number(pid))) continue;
      left.push(...parseEntries(await readFile(join(folder, name), 'utf8')));
      taken.push(join(folder, name));
    }
    const path = join(folder, `${stream}.${process.pid}.ndjson`);
    await writeWhole(path, left);
    for (const other of taken) if (other !== path) await rm(other, { force: true });
    return new FileSpool(path, left);
  }

  get entries(): readonly AuditEntry[] {
    return this.#entries;
  }

  add(entry: AuditEntry): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#entries.length >= maximumEntries) throw full('too many entries wait');
      try {
        await writeDurably(this.#path, 'a', [entry]);
      } catch {
        throw full('the spool cannot be written');
      }
      this.#entries.push(entry);
    });
  }

  drop(count: number): Promise<void> {
    return this.#inTurn(async () => {
      await writeWhole(this.#path, this.#entries.slice(count));
      this.#entries.splice(0, count);
    });
  }

  /** One write at a time, in order. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const mine = this.#turn.then(work, work);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }
}

/** Replaces the file whole or not at all. */
async function writeWhole(path: string, entries: readonly AuditEntry[]): Promise<void> {
  await writeDurably(`${path}.new`, 'w', entries);
  await rename(`${path}.new`, path);
}

async function writeDurably(path: string, how: 'a' | 'w', entries: readonly AuditEntry[]): Promise<void> {
  const file = await open(path, how, 0o600);
  try {
    // A line end before, too: where a full disk cut a line off, what comes after it is not part of it.
    await file.writeFile(entries.map((entry) => `\n${JSON.stringify(entry)}\n`).join(''));
    await file.datasync();
  } finally {
    await file.close();
  }
}

const full = (detail: string): Failure => new Failure('AuditUnavailable', { side: 'storage', detail });
