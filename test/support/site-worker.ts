import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RegistryDomain } from '../../domain/names/registry-domain.ts';
import { endpoints } from './stack.ts';

/** A site's own worker as a process: its credentials and what it notes lie in a folder of its own. */
export interface SiteWorker {
  /** Starts the process. `more`: further environment. */
  start(more?: Readonly<Record<string, string>>): void;
  /** Ends the process; its exit code, null where it was killed. */
  stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null>;
  /** Ends what runs and forgets the folder. */
  close(): Promise<void>;
}

/** How a site's worker differs from the usual one. */
export interface SiteWorkerOptions {
  /** Whether it may read upstream. Default: true. */
  readonly upstream?: boolean;
  /** The way to the registry `edge`. Default: straight. */
  readonly registry?: RegistryDomain;
}

/** The worker of a site on the stack's registry `edge`. */
export function siteWorker(site: string, options: SiteWorkerOptions = {}): SiteWorker {
  const { registries, temporalAddress, temporalNamespace } = endpoints();
  const { upstream } = registries;
  const edge = { ...registries.edge, domain: options.registry ?? registries.edge.domain };
  const folder = mkdtempSync(join(tmpdir(), 'imageferry-site-'));
  const file = join(folder, 'config.json');
  const auth = ({ username, password }: typeof edge) => ({
    auth: Buffer.from(`${username}:${password}`).toString('base64'),
  });
  writeFileSync(
    file,
    JSON.stringify({
      auths: {
        ...(options.upstream !== false ? { [upstream.domain]: auth(upstream) } : {}),
        [edge.domain]: auth(edge),
      },
    }),
  );
  let running: { readonly kill: (signal: 'SIGTERM' | 'SIGKILL') => Promise<number | null> } | undefined;
  const stop = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> => {
    const code = (await running?.kill(signal)) ?? null;
    running = undefined;
    return code;
  };
  return {
    start(more = {}) {
      const child = spawn(process.execPath, ['worker/site.ts'], {
        stdio: 'inherit',
        env: {
          TEMPORAL_ADDRESS: temporalAddress,
          TEMPORAL_NAMESPACE: temporalNamespace,
          SITE_NAME: site,
          SITE_REGISTRY: edge.domain,
          REGISTRY_AUTH_FILE: file,
          STATE_DIR: folder,
          LOG_LEVEL: 'warn',
          ...more,
        },
      });
      const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
      running = {
        kill(signal) {
          child.kill(signal);
          return exit;
        },
      };
    },
    stop,
    async close() {
      await stop('SIGKILL');
      rmSync(folder, { recursive: true });
    },
  };
}
