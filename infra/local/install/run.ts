import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Written to its standard input. Default: nothing. */
  readonly input?: string;
  /** Called with each line that it prints, of both streams. */
  readonly onLine?: (line: string) => void;
  /** Milliseconds. Default: 30 minutes. */
  readonly timeout?: number;
}

const children = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

/** Runs a program to its end and gives back its standard output. Throws with its last lines where it failed. */
export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: { ...process.env, ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: options.timeout ?? 30 * 60_000,
    });
    children.add(child);
    let out = '';
    const lines: string[] = [];
    const take = (chunk: string): void => {
      for (const line of chunk.split('\n').filter((text) => text !== '')) {
        lines.push(line);
        if (lines.length > 20) lines.shift();
        options.onLine?.(line);
      }
    };
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      out += chunk;
      take(chunk);
    });
    child.stderr.setEncoding('utf8').on('data', take);
    child.stdin.on('error', () => {}).end(options.input ?? '');
    child.on('error', reject);
    child.on('close', (code, signal) => {
      children.delete(child);
      if (code === 0) resolve(out);
      else reject(new Error(`${program} ended with ${code ?? signal}:\n${lines.join('\n')}`));
    });
  });
}
