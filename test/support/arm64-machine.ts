import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

const qemu = '/usr/bin/qemu-aarch64-static';
const libraries = '/usr/aarch64-linux-gnu/lib';

/** A root directory with nothing in it but what every arm64 Linux has: a shell and the C and C++ libraries. */
export interface Arm64Machine {
  /** Put before a command and its arguments; `folder` is there under its own path, and the directory it runs in. */
  readonly before: readonly string[];
}

/**
 * A machine of the other architecture, by qemu and the kernel's own `binfmt_misc` in namespaces of its own, so that
 * nothing outside changes: scripts and what they start run as they are. The shell is Debian's `busybox-static`, read with a
 * list of packages of its own. A text where something is missing; all of it: `apt-get install qemu-user-static
 * libc6-arm64-cross libstdc++6-arm64-cross`, Linux 6.7, root.
 */
export function arm64Machine(folder: string): Arm64Machine | string {
  for (const path of [qemu, libraries, '/usr/bin/apt-get'])
    if (!existsSync(path)) return `there is no ${path}`;
  const own = mkdtempSync(join(folder, 'arm64-'));
  const root = join(own, 'root');
  for (const path of ['bin', 'dev', 'proc', folder]) mkdirSync(join(root, path), { recursive: true });
  cpSync(libraries, join(root, 'lib'), { recursive: true, verbatimSymlinks: true });
  try {
    fetchShell(join(root, 'bin/sh'), own);
  } catch (error) {
    return `no shell for arm64 can be had: ${String(error)}`;
  }
  const enter = join(own, 'enter.sh');
  writeFileSync(enter, entering);
  const before = ['/usr/bin/unshare', '-Urm', '/bin/sh', enter, root, folder];
  const [program = '', ...rest] = before;
  const { status, stderr } = spawnSync(program, [...rest, '/bin/sh', '-c', '[ "$(uname -m)" = aarch64 ]'], {
    encoding: 'utf8',
    env: { PATH: '' },
  });
  return status === 0 ? { before } : `no binfmt_misc in a namespace: ${stderr}`;
}

/** ELF of arm64 goes to qemu, which the kernel opens now (`F`), so that it need not be inside. */
const entering = `set -e
PATH=/usr/sbin:/usr/bin:/sbin:/bin
root="$1" folder="$2"
shift 2
formats="$(mktemp -d -p "$root")"
mount -t binfmt_misc none "$formats"
printf '%s' ':arm64:M::\\x7fELF\\x02\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\xb7\\x00:\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x00\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xfe\\xff\\xff\\xff:${qemu}:F' > "$formats/register"
mount --rbind /proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --rbind "$folder" "$root$folder"
exec chroot "$root" /bin/sh -c 'PATH=; cd "$0"; exec "$@"' "$folder" "$@"
`;

/** Debian's own client, with state of its own: this machine's list of packages stays as it is. */
function fetchShell(to: string, own: string): void {
  const into = join(own, 'shell');
  const [lists, cache] = [join(own, 'lists'), join(own, 'cache')];
  for (const path of [`${lists}/partial`, `${cache}/archives/partial`, into])
    mkdirSync(path, { recursive: true });
  const settings = [
    'APT::Architecture=arm64',
    'APT::Architectures::=arm64',
    `Dir::State::lists=${lists}`,
    `Dir::Cache=${cache}`,
    'Dir::State::status=/dev/null',
  ].flatMap((setting) => ['-o', setting]);
  const run = (program: string, ...args: string[]): void =>
    void execFileSync(program, args, { cwd: into, stdio: 'pipe', timeout: 300_000 });
  run('apt-get', ...settings, 'update');
  run('apt-get', ...settings, 'download', 'busybox-static');
  const [archive = ''] = readdirSync(into);
  run('dpkg', '-x', archive, 'out');
  copyFileSync(join(into, 'out/bin/busybox'), to);
}
