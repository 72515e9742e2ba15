import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { lineProgress } from './install/progress.ts';
import { program } from './install/programs.ts';
import { stopAllLeftovers } from './running.ts';
import { untilStopped } from './until-stopped.ts';

const root = join(import.meta.dirname, '..', '..');

/** Test files below the given folders and files; all of them where none is given. Measurements are not tests. */
function testFiles(selected: readonly string[]): string[] {
  return (selected.length === 0 ? ['test'] : selected).flatMap((path) => {
    const full = join(root, relative(root, path));
    if (!statSync(full).isDirectory()) return [relative(root, full)];
    return readdirSync(full, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.test.ts'))
      .map((name) => relative(root, join(full, name)))
      .filter((name) => !name.startsWith('test/bench/'))
      .sort();
  });
}

/** Servers are started only for tests that use them: those in test/e2e. */
const needsStack = (files: readonly string[]): boolean => files.some((file) => file.startsWith('test/e2e/'));
const needsTimeSkipping = (files: readonly string[]): boolean =>
  files.some((file) => /^test\/(workflows|replay|e2e)\//.test(file));

async function main(): Promise<number> {
  const options = process.argv.slice(2).filter((argument) => argument.startsWith('--'));
  const files = testFiles(process.argv.slice(2).filter((argument) => !argument.startsWith('--')));
  const folder = mkdtempSync(join(tmpdir(), 'imageferry-test-'));
  const stopped = untilStopped();
  try {
    const env: Record<string, string> = { IMAGEFERRY_TEST_DIR: folder };
    if (needsTimeSkipping(files))
      env['TEMPORAL_TEST_SERVER'] = await program('temporalTestServer', lineProgress());
    const setup = needsStack(files) ? ['--test-global-setup=test/support/global-setup.ts'] : [];
    return await runTests([...setup, ...options, ...files], env, stopped);
  } finally {
    await sweep(folder);
  }
}

/** Nothing that the tests started stays, not even when they were killed in the middle. */
async function sweep(folder: string): Promise<void> {
  const left = await stopAllLeftovers(folder);
  if (left.length > 0) console.log(`stopped what the tests left running: ${left.join(', ')}`);
  rmSync(folder, { recursive: true, force: true });
}

function runTests(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  stopped: Promise<unknown>,
): Promise<number> {
  const flags = ['--disable-warning=ExperimentalWarning', '--test', '--test-concurrency=2'];
  const child = spawn(process.execPath, [...flags, ...args], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  void stopped.then(() => child.kill('SIGTERM'));
  return new Promise((resolve) => {
    child.on('exit', (code, signal) =>
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])),
    );
  });
}

process.exitCode = await main();
