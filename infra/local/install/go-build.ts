import { join } from 'node:path';
import type { Part } from './cache.ts';
import { textOf } from './cache.ts';
import type { Step } from './progress.ts';
import { run } from './run.ts';

const builds = join(import.meta.dirname, '..', 'build');

/** A Go program built from one of the small modules in `../build`. */
export interface GoProgram {
  readonly name: string;
  readonly version: string;
  /** Folder below `../build` with go.mod and go.sum. */
  readonly module: string;
  /** Package to build, such as `.`. */
  readonly package: string;
  /** Source files that decide the build, besides go.mod and go.sum. */
  readonly sources: readonly string[];
  /** A quicker way, tried first; false where it did not work out. */
  readonly prebuilt?: (folder: string, step: Step) => Promise<boolean>;
}

/** That program as a part of the cache. */
export function goBuild(program: GoProgram): Part {
  const folder = join(builds, program.module);
  return {
    name: program.name,
    version: program.version,
    recipe: textOf(folder, 'go.mod', 'go.sum', ...program.sources),
    async install(target, step) {
      if (await program.prebuilt?.(target, step)) return;
      await compile(program, folder, target, step);
    },
  };
}

async function compile(program: GoProgram, cwd: string, target: string, step: Step): Promise<void> {
  let packages = 0;
  const flags = ['-v', '-trimpath', '-buildvcs=false', '-ldflags=-s -w'];
  try {
    await run('go', ['build', ...flags, '-o', join(target, program.name), program.package], {
      cwd,
      env: { CGO_ENABLED: '0', GOFLAGS: '-mod=readonly', GOWORK: 'off' },
      onLine: (line) => {
        packages += line.startsWith('go: downloading') ? 0 : 1;
        step.detail(packages === 0 ? line : `${packages} Go packages compiled`);
      },
    });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
      throw new Error(`Go 1.26 or newer is needed once, to build ${program.name}: install it and try again.`);
    throw error;
  }
}
