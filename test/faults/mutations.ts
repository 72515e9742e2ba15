/**
 * Shows that the fault catalogue's tests can fail: takes one control out of a copy of the source, runs the row that
 * tests it, and expects it to fail. Not part of `npm test`: `node test/faults/mutations.ts [texts in a row's id or file]`.
 */
import { spawn } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';

/** A control that is taken out, and the row that must notice. */
interface Mutation {
  readonly row: string;
  /** The test file below `test/`, without its ending. */
  readonly test: string;
  /** What is missing then, in words. */
  readonly without: string;
  readonly edits: readonly (readonly [file: string, find: string, put: string])[];
}

const root = join(import.meta.dirname, '..', '..');
const mutations = parse(
  await readFile(join(import.meta.dirname, 'mutations.yaml'), 'utf8'),
) as readonly Mutation[];
const wanted = process.argv.length > 2 ? process.argv.slice(2) : [''];
const chosen = mutations.filter((mutation) =>
  wanted.some((text) => `${mutation.row} ${mutation.test}`.includes(text)),
);

async function workspace(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'imageferry-mutations-'));
  for (const part of [
    'activities',
    'domain',
    'infra',
    'worker',
    'test/faults',
    'test/domain',
    'test/infra/registry',
    'test/support',
    'package.json',
    'tsconfig.json',
  ]) {
    await cp(join(root, part), join(folder, part), { recursive: true });
  }
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

/** Runs one row; resolves with whether it passed. */
function runRow(folder: string, mutation: Mutation): Promise<boolean> {
  const pattern = `^${mutation.row}`;
  const args = [
    '--test',
    '--test-force-exit',
    `--test-name-pattern=${pattern}`,
    `test/${mutation.test}.test.ts`,
  ];
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 120_000,
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.once('close', (code) => resolve(code === 0 && /(?:ℹ|#) pass [1-9]/.test(output)));
  });
}

const sound = new Map<string, Promise<boolean>>();

/** Whether a row passes with its control in place: else its failing would say nothing. */
function isSound(folder: string, mutation: Mutation): Promise<boolean> {
  const key = `${mutation.test} ${mutation.row}`;
  const known = sound.get(key) ?? runRow(folder, mutation);
  sound.set(key, known);
  return known;
}

type Verdict = 'seen' | 'missed' | 'stale' | 'broken';

/**
 * `seen`: the row failed without its control. `missed`: it did not. `stale`: the source has changed. `broken`: the row
 * fails with its control too.
 */
async function judge(folder: string, mutation: Mutation): Promise<Verdict> {
  const before = new Map<string, string>();
  if (!(await isSound(folder, mutation))) return 'broken';
  try {
    for (const [file, find, put] of mutation.edits) {
      const path = join(folder, file);
      const text = await readFile(path, 'utf8');
      if (!before.has(path)) before.set(path, text);
      if (!text.includes(find)) return 'stale';
      await writeFile(
        path,
        text.replace(find, () => put),
      );
    }
    return (await runRow(folder, mutation)) ? 'missed' : 'seen';
  } finally {
    for (const [path, text] of before) await writeFile(path, text);
  }
}

const queue = [...chosen];
const counts = { seen: 0, missed: 0, stale: 0, broken: 0 };
async function lane(): Promise<void> {
  const folder = await workspace();
  try {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const verdict = await judge(folder, next);
      counts[verdict] += 1;
      process.stdout.write(`${verdict.padEnd(6)} ${next.row.padEnd(4)} ${next.without}\n`);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}
await Promise.all([lane(), lane()]);
const failed = counts.missed + counts.stale + counts.broken;
process.stdout.write(`${counts.seen} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
