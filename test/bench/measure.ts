import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** What one run of a program took. */
export interface Measured {
  readonly wallSeconds: number;
  /** User and system time of the program and its children. */
  readonly cpuSeconds: number;
  /** User and system time that the registries took meanwhile. Default: not measured. */
  readonly registrySeconds?: number;
  /** Highest resident memory that was seen, in MiB. */
  readonly peakMiB: number;
  readonly exitCode: number;
  readonly output: string;
}

export interface MeasureOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Called once, this many milliseconds after the start, with the program's process id. Default: never. */
  readonly after?: { readonly ms: number; readonly act: (pid: number) => void };
}

const maxOutput = 20_000;

/** Runs a program to its end. bash's own `time` counts the CPU of everything that it started. */
export function measure(argv: readonly string[], options: MeasureOptions = {}): Promise<Measured> {
  const script = 'TIMEFORMAT="@time %R %U %S"; time "$@"';
  const child = spawn('bash', ['-c', script, 'bench', ...argv], {
    env: { ...process.env, ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let peakKiB = 0;
  const take = (text: string): void => {
    output = (output + text).slice(-maxOutput);
  };
  child.stdout.setEncoding('utf8').on('data', take);
  child.stderr.setEncoding('utf8').on('data', take);
  const sampler = setInterval(() => {
    peakKiB = Math.max(peakKiB, highWater(childOf(child.pid)));
  }, 40);
  if (options.after !== undefined) {
    const { ms, act } = options.after;
    setTimeout(() => act(childOf(child.pid)), ms).unref();
  }
  return new Promise((resolve) => {
    child.once('close', (code) => {
      clearInterval(sampler);
      const [, real, user, system] = /@time ([\d.]+) ([\d.]+) ([\d.]+)/.exec(output) ?? [];
      resolve({
        wallSeconds: Number(real),
        cpuSeconds: Number(user) + Number(system),
        peakMiB: Math.round(peakKiB / 1024),
        exitCode: code ?? -1,
        output: output.replace(/@time .*/, '').trim(),
      });
    });
  });
}

function childOf(pid: number | undefined): number {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0]);
  } catch {
    return 0;
  }
}

function highWater(pid: number): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
