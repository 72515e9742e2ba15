import { execFileSync, spawnSync } from 'node:child_process';
import { installed, type Part } from '../../infra/local/install/cache.ts';
import { lineProgress } from '../../infra/local/install/progress.ts';
import { run } from '../../infra/local/install/run.ts';

/** Tools that others use for images, as released: their Go modules and versions. */
const modules = {
  crane: ['github.com/google/go-containerregistry/cmd/crane', '0.22.1'],
  regctl: ['github.com/regclient/regclient/cmd/regctl', '0.11.7'],
  regsync: ['github.com/regclient/regclient/cmd/regsync', '0.11.7'],
  oras: ['oras.land/oras/cmd/oras', '1.3.6'],
} as const;

/** The path of one, built once per user from its Go module. */
export function ociTool(name: keyof typeof modules): Promise<string> {
  const [module, version] = modules[name];
  const part: Part = {
    name,
    version,
    async install(folder, step) {
      await run('go', ['install', '-trimpath', '-ldflags=-s -w', `${module}@v${version}`], {
        env: { GOBIN: folder, CGO_ENABLED: '0', GOFLAGS: '' },
        onLine: (line) => step.detail(line),
      });
    },
  };
  return installed(
    part,
    lineProgress((line) => process.stderr.write(`${line}\n`)),
  );
}

/** Runs one to its end. Throws what it said where it fails. */
export async function runOciTool(name: keyof typeof modules, ...args: readonly string[]): Promise<void> {
  execFileSync(await ociTool(name), args, { stdio: 'pipe' });
}

/** skopeo has no Go module that builds without C libraries: it is run where it is installed; false where it is not. */
export function runSkopeo(...args: readonly string[]): boolean {
  if (spawnSync('skopeo', ['--version']).error !== undefined) return false;
  execFileSync('skopeo', args, { stdio: 'pipe' });
  return true;
}
