import { mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { existsSync } from 'node:fs';
import { ociTool } from '../support/oci-tools.ts';

/** The tools that are measured beside ours, as built from their Go modules, and skopeo where it is on the PATH. */
export interface Peers {
  readonly crane: string;
  readonly regctl: string;
  readonly regsync: string;
  readonly oras: string;
  readonly skopeo: string | undefined;
}

/** Installs what is missing, with pinned versions, into the per-user cache. */
export async function installPeers(): Promise<Peers> {
  const paths: string[] = [];
  for (const name of ['crane', 'regctl', 'regsync', 'oras'] as const) paths.push(await ociTool(name));
  const [crane = '', regctl = '', regsync = '', oras = ''] = paths;
  const skopeo = (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'skopeo'))
    .find((path) => existsSync(path));
  return { crane, regctl, regsync, oras, skopeo };
}

/** regctl's settings: these hosts speak plain http. Returns the environment that points there. */
export function regctlEnv(folder: string, hosts: readonly string[]): Record<string, string> {
  const path = join(folder, 'regctl.json');
  mkdirSync(folder, { recursive: true });
  const entries = hosts.map((host) => [host, { tls: 'disabled', hostname: host }]);
  writeFileSync(path, JSON.stringify({ hosts: Object.fromEntries(entries) }));
  return { REGCTL_CONFIG: path };
}

/** A regsync configuration that copies a whole repository; the parallelism that did best here. */
export function regsyncConfig(folder: string, source: string, target: string): string {
  const path = join(folder, 'regsync.yml');
  const host = (reference: string): string => reference.split('/')[0] ?? '';
  mkdirSync(folder, { recursive: true });
  // JSON is YAML.
  writeFileSync(
    path,
    JSON.stringify({
      version: 1,
      creds: [source, target].map((reference) => ({ registry: host(reference), tls: 'disabled' })),
      defaults: { parallel: 8, ratelimit: { min: 0 } },
      sync: [{ source, target, type: 'repository' }],
    }),
  );
  return path;
}
