import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { lock } from './lock.ts';
import type { Progress, Step } from './progress.ts';

/** Something that is installed once per user. */
export interface Part {
  /** File name of the program inside its folder. */
  readonly name: string;
  readonly version: string;
  /** Whatever else decides what is built, such as the text of go.sum; part of the cache key. */
  readonly recipe?: string;
  /** Makes the program at `folder/name`. `folder` is empty and new. */
  install(folder: string, step: Step): Promise<void>;
}

/**
 * The per-user cache outside the clone: `$IMAGEFERRY_CACHE`, else `$XDG_CACHE_HOME/imageferry`, else
 * `~/.cache/imageferry`.
 */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  return env['IMAGEFERRY_CACHE'] ?? join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'imageferry');
}

/**
 * The path of the part's program, installed first where it is missing. A part is made in a temporary folder and renamed
 * into place, so it is there whole or not at all; one process makes it, others wait for that one. What a killed process
 * left behind is removed by the next.
 */
export async function installed(part: Part, progress: Progress, cache = cacheFolder()): Promise<string> {
  const recipe = createHash('sha256')
    .update(part.recipe ?? '')
    .digest('hex')
    .slice(0, 8);
  const key = `${part.name}-${part.version}-${process.platform}-${process.arch}-${recipe}`;
  const folder = join(cache, key);
  const program = join(folder, part.name);
  if (existsSync(program)) return program;
  mkdirSync(cache, { recursive: true, mode: 0o700 });
  using _held = await lock(join(cache, `${key}.lock`), () =>
    progress.say(`  … ${part.name}: another start is installing it, waiting`),
  );
  if (existsSync(program)) return program;
  const making = `${key}.making-`;
  for (const name of readdirSync(cache)) {
    if (name.startsWith(making)) rmSync(join(cache, name), { recursive: true, force: true });
  }
  const temporary = join(cache, `${making}${process.pid}`);
  mkdirSync(temporary, { mode: 0o700 });
  const step = progress.begin(`install ${part.name} ${part.version}`);
  try {
    await part.install(temporary, step);
    if (!existsSync(join(temporary, part.name))) throw new Error(`${part.name} was not made`);
    renameSync(temporary, folder);
  } catch (error) {
    step.failed();
    rmSync(temporary, { recursive: true, force: true });
    throw error;
  }
  step.done();
  return program;
}

/** The text of files, for {@link Part.recipe}. */
export function textOf(folder: string, ...names: readonly string[]): string {
  return names.map((name) => readFileSync(join(folder, name), 'utf8')).join('\0');
}
