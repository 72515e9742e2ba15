import { join } from 'node:path';
import { regctlEnv, regsyncConfig, type Peers } from './peers.ts';

/** One tool's way of doing what a case asks. */
export interface Side {
  readonly name: string;
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Whether the tool hashes what it moves, so that its CPU time can be compared with ours. Default: true. */
  readonly hashes?: boolean;
}

/** A repository, and the registry's `host:port`. */
export interface Place {
  readonly domain: string;
  readonly path: string;
}

const at = ({ domain, path }: Place): string => `${domain}/${path}`;
// crane refuses addresses of this machine, but not its name.
const named = (place: Place): string => at(place).replace('127.0.0.1', 'localhost');

/** Our own command, as it is packaged (`npm run package`); the ground has built it into its folder. */
export function ours(folder: string, ...args: readonly string[]): Side {
  const env = {
    XDG_STATE_HOME: join(folder, 'state'),
    XDG_CACHE_HOME: join(folder, 'cache'),
    DOCKER_CONFIG: folder,
  };
  return {
    name: 'imageferry',
    argv: [process.execPath, join(folder, 'command', 'imageferry.cjs'), ...args],
    env,
  };
}

/** Every tool that copies one image. */
export function imageSides(
  peers: Peers,
  folder: string,
  from: Place,
  to: Place,
  tag: string,
): readonly Side[] {
  const [source, target] = [`${at(from)}:${tag}`, `${at(to)}:${tag}`];
  const plain = ['--src-tls-verify=false', '--dest-tls-verify=false'];
  return [
    ours(folder, 'copy', source, target),
    {
      name: 'crane',
      argv: [peers.crane, 'copy', '--insecure', `${named(from)}:${tag}`, `${named(to)}:${tag}`],
    },
    {
      name: 'regctl',
      argv: [peers.regctl, 'image', 'copy', source, target],
      env: regctlEnv(folder, [from.domain, to.domain]),
    },
    {
      name: 'oras',
      argv: [peers.oras, 'cp', '--from-plain-http', '--to-plain-http', source, target],
      hashes: false,
    },
    ...(peers.skopeo === undefined
      ? []
      : [
          {
            name: 'skopeo',
            argv: [peers.skopeo, 'copy', '--all', ...plain, `docker://${source}`, `docker://${target}`],
          },
        ]),
  ];
}

/** Every tool that copies a whole repository. */
export function repositorySides(peers: Peers, folder: string, from: Place, to: Place): readonly Side[] {
  return [
    ours(folder, 'copy', '--all-tags', '--quiet', at(from), at(to)),
    { name: 'regsync', argv: [peers.regsync, 'once', '-c', regsyncConfig(folder, at(from), at(to))] },
    { name: 'crane', argv: [peers.crane, 'copy', '--insecure', '-a', '-j', '8', named(from), named(to)] },
    ...(peers.skopeo === undefined ? [] : [skopeoSync(peers.skopeo, from, to)]),
  ];
}

function skopeoSync(skopeo: string, from: Place, to: Place): Side {
  // skopeo appends the last part of the source's path to the target.
  const parent = at(to).split('/').slice(0, -1).join('/');
  const plain = ['--src-tls-verify=false', '--dest-tls-verify=false'];
  return {
    name: 'skopeo',
    argv: [skopeo, 'sync', '--src', 'docker', '--dest', 'docker', ...plain, at(from), parent],
  };
}
