import { chmodSync, existsSync, globSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import type { Part } from './cache.ts';
import { run } from './run.ts';

/** The npm package that ships Chromium's headless shell with the libraries that a bare machine lacks (x64 only). */
const project = '@sparticuz/chromium';
const version = '153.0.0';
const integrity =
  'sha512-jiGWqSvPMdu4+P9TilYqAR7yEGPEHINx+lCvE/NqNO/EHYzF/x1hUiI5T6ioVIt7dEy7n88byyT0vk+dnsgQwA==';

/** A browser for the console's test, as `chromium` beside its `lib` folder. Nothing in the package is run to install it. */
export const chromium: Part = {
  name: 'chromium',
  version,
  async install(folder) {
    if (process.platform !== 'linux' || process.arch !== 'x64')
      throw new Error(`${project} is for Linux on x64`);
    await run('npm', ['pack', '--silent', `${project}@${version}`], { cwd: folder });
    const [packed] = globSync('*.tgz', { cwd: folder });
    if (packed === undefined) throw new Error(`npm packed no ${project}`);
    const hash = createHash('sha512')
      .update(readFileSync(join(folder, packed)))
      .digest('base64');
    if (`sha512-${hash}` !== integrity) throw new Error(`${project} ${version} is not what it was`);
    await run('tar', ['-xzf', packed], { cwd: folder });
    const bin = join(folder, 'package', 'bin');
    for (const archive of ['al2023.tar', 'fonts.tar', 'swiftshader.tar']) {
      unpackBrotli(join(bin, archive), join(folder, archive));
      await run('tar', ['-xf', archive], { cwd: folder });
      rmSync(join(folder, archive));
    }
    unpackBrotli(join(bin, 'chromium'), join(folder, 'chromium.part'));
    chmodSync(join(folder, 'chromium.part'), 0o755);
    renameSync(join(folder, 'chromium.part'), join(folder, 'chromium'));
    rmSync(join(folder, 'package'), { recursive: true });
    rmSync(join(folder, packed));
  },
};

function unpackBrotli(from: string, to: string): void {
  writeFileSync(to, brotliDecompressSync(readFileSync(`${from}.br`)));
}

const known = [
  'chromium',
  'chromium-browser',
  'google-chrome-stable',
  'google-chrome',
  'chromium-headless-shell',
];

/** A Chromium that the machine has already: `$IMAGEFERRY_BROWSER`, else by name on the PATH. Undefined where there is none. */
export function presentBrowser(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const named = env['IMAGEFERRY_BROWSER'];
  if (named !== undefined && named !== '') return named;
  const folders = (env['PATH'] ?? '').split(':');
  return known
    .flatMap((name) => folders.map((folder) => join(folder, name)))
    .find((path) => existsSync(path));
}
