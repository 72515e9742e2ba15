import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Part } from './cache.ts';
import { run } from './run.ts';

/** A command of a Python package, with all that the package needs beside it. Nothing gets into the user's Python. */
export function pythonTool(name: string, version: string, start: string): Part {
  return {
    name,
    version,
    async install(folder) {
      const pip = [
        '-m',
        'pip',
        'install',
        '--quiet',
        '--disable-pip-version-check',
        '--only-binary',
        ':all:',
      ];
      try {
        await run('python3', [...pip, '--target', join(folder, 'packages'), `${name}==${version}`]);
      } catch (error) {
        throw new Error(
          `${name} could not be fetched with pip (Python 3 with pip is needed once).\n${String(error)}`,
        );
      }
      const script = `#!/bin/sh\nPYTHONPATH="$(dirname "$0")/packages" exec python3 -c '${start}' "$@"\n`;
      writeFileSync(join(folder, name), script);
      chmodSync(join(folder, name), 0o755);
    },
  };
}
