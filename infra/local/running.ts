import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Lock } from './install/lock.ts';
import { tryLock } from './install/lock.ts';

interface Recorded {
  readonly name: string;
  readonly pid: number;
  /** When the process started, as the system says it; tells a pid that was given to another process since. */
  readonly since: string;
}

const recordsOf = (folder: string): string => join(folder, 'run');
const fileOf = (folder: string, name: string): string => join(recordsOf(folder), `${name}.json`);

/** Writes down that this process was started from `folder`. */
export function record(folder: string, name: string, pid: number): void {
  mkdirSync(recordsOf(folder), { recursive: true, mode: 0o700 });
  const entry: Recorded = { name, pid, since: startOf(pid) ?? '' };
  writeFileSync(fileOf(folder, name), JSON.stringify(entry), { mode: 0o600 });
}

/** Removes the record, if it is still that process's. */
export function forget(folder: string, name: string, pid: number): void {
  if (recorded(folder).some((entry) => entry.name === name && entry.pid === pid))
    rmSync(fileOf(folder, name), { force: true });
}

/** Undefined where there is no such process, or it has ended and only its parent does not know yet. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    if (process.platform === 'linux') return undefined;
    const { stdout } = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' });
    return stdout.trim() === '' ? undefined : stdout.trim();
  }
}

function recorded(folder: string): Recorded[] {
  let names: string[];
  try {
    names = readdirSync(recordsOf(folder)).filter((name) => name.endsWith('.json'));
  } catch {
    return [];
  }
  return names.flatMap((name) => {
    try {
      return [JSON.parse(readFileSync(join(recordsOf(folder), name), 'utf8')) as Recorded];
    } catch {
      return [];
    }
  });
}

/** Thrown where another start uses the folder. */
export class FolderInUse extends Error {}

/** Takes `folder` for this process alone. Throws {@link FolderInUse}. */
export function claim(folder: string): Lock {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const held = tryLock(join(folder, 'lock'));
  if (held === undefined)
    throw new FolderInUse(`${folder} is in use by another start. Stop that one first (Ctrl-C there).`);
  return held;
}

/**
 * Stops what an earlier start left running in `folder` because it was killed: exactly the processes that it recorded,
 * known by pid and start time. Gives back their names. The caller has claimed the folder.
 */
export async function stopLeftovers(folder: string): Promise<string[]> {
  const alive = recorded(folder).filter(({ pid, since }) => since !== '' && startOf(pid) === since);
  const left = (): Recorded[] => alive.filter(({ pid, since }) => startOf(pid) === since);
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    for (const { pid } of left()) kill(pid, signal);
    for (let waited = 0; waited < 10_000 && left().length > 0; waited += 100) await sleep(100);
  }
  rmSync(recordsOf(folder), { recursive: true, force: true });
  return alive.map(({ name }) => name);
}

/**
 * The same for `folder` and for each stack in a folder of its own directly below it. One that is still in use is left to
 * its owner.
 */
export async function stopAllLeftovers(folder: string): Promise<string[]> {
  const below = readdirSync(folder).map((name) => join(folder, name));
  const stacks = below.filter((path) => existsSync(recordsOf(path)));
  const stopped = await Promise.all([folder, ...stacks].map(stopOwnLeftovers));
  return stopped.flat();
}

async function stopOwnLeftovers(folder: string): Promise<string[]> {
  const held = tryLock(join(folder, 'lock'));
  if (held === undefined) return [];
  try {
    return await stopLeftovers(folder);
  } finally {
    held.release();
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  for (const target of [-pid, pid]) {
    try {
      process.kill(target, signal);
    } catch {
      // Gone in between, or no group leader.
    }
  }
}
