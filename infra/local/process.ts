import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { forget, record } from './running.ts';

export interface ProcessSpec {
  /** Names its log and its record. */
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Resolves when it can be used; tried again until `readyWithin` is over. */
  readonly ready: () => Promise<void>;
  /** Milliseconds. Default: 60 s. */
  readonly readyWithin?: number;
}

/** A running child process. */
export interface Running {
  readonly name: string;
  readonly pid: number;
  readonly log: string;
  /** Resolves when it has ended, with how. */
  readonly ended: Promise<string>;
  /** SIGTERM, and SIGKILL where that does not help within 10 seconds; resolves when it is gone. */
  stop(): Promise<void>;
}

/**
 * Starts a program in a process group of its own, so that a Ctrl-C in the terminal does not reach it and it is stopped
 * in order; its output goes to `folder/logs/<name>.log`. Its pid is recorded, for a later start to find should this
 * process be killed. Throws with the log's last lines where it does not become ready.
 */
export async function start(folder: string, spec: ProcessSpec): Promise<Running> {
  const child = launch(folder, spec);
  const deadline = performance.now() + (spec.readyWithin ?? 60_000);
  let problem: unknown;
  for (;;) {
    const outcome = await Promise.race([child.ended, attempt(spec.ready)]);
    if (outcome === undefined) return child;
    if (typeof outcome === 'string')
      throw new Error(`${spec.name} ended at its start (${outcome}).\n${lastLines(child.log)}`);
    problem = outcome;
    if (performance.now() > deadline) break;
    await sleep(100);
  }
  await child.stop();
  throw new Error(`${spec.name} did not become ready: ${String(problem)}\n${lastLines(child.log)}`);
}

async function attempt(ready: () => Promise<void>): Promise<Error | undefined> {
  try {
    await ready();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function launch(folder: string, spec: ProcessSpec): Running {
  const logs = join(folder, 'logs');
  mkdirSync(logs, { recursive: true, mode: 0o700 });
  const log = join(logs, `${spec.name}.log`);
  const output = openSync(log, 'a', 0o600);
  writeSync(output, `--- ${new Date().toISOString()} ${spec.name} starts\n`);
  const child = spawn(spec.program, spec.args, {
    cwd: spec.cwd ?? folder,
    env: { ...process.env, ...spec.env },
    stdio: ['ignore', output, output],
    detached: true,
  });
  closeSync(output);
  const pid = child.pid;
  if (pid === undefined) throw new Error(`${spec.name}: ${spec.program} cannot be run`);
  record(folder, spec.name, pid);
  const ended = ending(child).finally(() => forget(folder, spec.name, pid));
  return { name: spec.name, pid, log, ended, stop: () => stop(pid, ended) };
}

function ending(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.on('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
    child.on('error', (error) => resolve(error.message));
  });
}

async function stop(pid: number, ended: Promise<unknown>): Promise<void> {
  const gone = ended.then(() => true);
  // Its pid may be another's by now.
  if (await Promise.race([gone, sleep(0, false)])) return;
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    signalGroup(pid, signal);
    if (await Promise.race([gone, sleep(10_000, false, { ref: false })])) break;
  }
  // What it started itself and left behind.
  signalGroup(pid, 'SIGKILL');
}

/** Signals a whole process group; that it is gone is no error. */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // Gone already.
  }
}

function lastLines(path: string): string {
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n').slice(-12);
  return `${lines.map((line) => `    ${line.slice(0, 300)}`).join('\n')}\n    (${path})`;
}
