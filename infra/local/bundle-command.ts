import { copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { build, type Metafile } from 'esbuild';

const root = join(import.meta.dirname, '..', '..');

/** What is started by its own name: the command, and the threads that it may start. */
const started = ['worker/imageferry.ts', 'infra/layout/hash-thread.ts'];

/**
 * Builds the command `imageferry` as plain JavaScript: `imageferry.cjs`, which turns the compile cache on, `program.cjs`,
 * which reads the arguments, and one file per subcommand with all that it needs. Loading three compiled files instead of
 * 150 TypeScript files halves the time of a short run. The licences of the packages inside lie beside them.
 */
export async function bundleCommand(folder: string): Promise<void> {
  const built = new Set<string>();
  const metafiles: Metafile[] = [];
  for (let entries = started; entries.length > 0;) {
    const loaded = new Set<string>();
    for (const entry of entries) built.add(entry);
    metafiles.push(await bundle(entries, folder, loaded));
    entries = [...loaded].filter((entry) => !built.has(entry));
  }
  copyLicences(metafiles, join(folder, 'licences'));
}

/** Files that are loaded only when they are wanted stay files of their own; they are added to `loaded`. */
async function bundle(
  entryPoints: readonly string[],
  outdir: string,
  loaded: Set<string>,
): Promise<Metafile> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [...entryPoints],
    entryNames: '[name]',
    outdir,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    target: 'node24',
    // The older module kind loads without the asynchronous steps of the newer one.
    format: 'cjs',
    supported: { 'dynamic-import': false },
    define: { 'import.meta.dirname': '__dirname', 'import.meta.filename': '__filename' },
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
    plugins: [
      {
        name: 'commands in files of their own',
        setup: (building) =>
          building.onResolve({ filter: /^\..*\.ts$/ }, ({ kind, path, resolveDir }) => {
            if (kind !== 'dynamic-import') return undefined;
            loaded.add(relative(root, join(resolveDir, path)));
            return { path: `./${basename(path, '.ts')}.cjs`, external: true };
          }),
      },
    ],
  });
  return metafile;
}

/** One file per package whose code is in the bundle. */
function copyLicences(metafiles: readonly Metafile[], into: string): void {
  mkdirSync(into, { recursive: true });
  const inputs = metafiles
    .flatMap(({ inputs: files }) => Object.keys(files))
    .filter((path) => path.includes('node_modules/'));
  for (const folder of new Set(inputs.map((path) => packageFolder(join(root, path))))) {
    const name = folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length);
    const licence = readdirSync(folder).find((file) => /^licen[cs]e/i.test(file));
    const target = join(into, name.replace('/', '+'));
    if (licence !== undefined) copyFileSync(join(folder, licence), target);
    else writeFileSync(target, `${name}: see its package\n`);
  }
}

/** The nearest folder that is a package with a name of its own: some have nameless ones inside. */
function packageFolder(path: string): string {
  const folder = dirname(path);
  const isPackage = /node_modules\/(@[^/]+\/)?[^/]+$/.test(folder);
  return isPackage && existsSync(join(folder, 'package.json')) ? folder : packageFolder(folder);
}
