import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { program } from '../../infra/local/install/programs.ts';
import { quietProgress } from '../../infra/local/install/progress.ts';
import { run } from '../../infra/local/install/run.ts';
import { freePort } from '../../infra/local/ports.ts';
import { parseRegistryDomain, type RegistryDomain } from '../../domain/names/registry-domain.ts';
import type { TokenAuth } from './signing-token-server.ts';

/** A real `distribution` registry of a test. */
export interface RegistryProcess {
  readonly domain: RegistryDomain;
  readonly folder: string;
  readonly pid: number;
  /** Runs its garbage collection beside it. */
  collectGarbage(deleteUntagged: boolean): Promise<void>;
  stop(): Promise<void>;
}

export interface RegistryProcessOptions {
  /** Default: no password asked for. */
  readonly credential?: { readonly username: string; readonly password: string };
  /** Takes the tokens of a token server. Default: none. */
  readonly tokens?: TokenAuth;
  /** Default: the in-memory blob cache, as the registry comes. */
  readonly cache?: boolean;
  /** The registry's program. Default: the one that the local stack builds. */
  readonly binary?: string;
}

/** Starts a registry on a free port with a folder of its own; stop it when done. */
export async function startRegistryProcess(options: RegistryProcessOptions = {}): Promise<RegistryProcess> {
  const binary = options.binary ?? (await program('registry', quietProgress));
  const folder = mkdtempSync(join(tmpdir(), 'imageferry-registry-'));
  const port = await freePort();
  const config = join(folder, 'config.json');
  const htpasswd = join(folder, 'htpasswd');
  const { credential } = options;
  if (credential !== undefined) {
    const hash = await run(binary, ['htpasswd'], { input: credential.password });
    writeFileSync(htpasswd, `${credential.username}:${hash}`);
  }
  writeFileSync(
    config,
    JSON.stringify({
      version: '0.1',
      log: { level: 'error', accesslog: { disabled: true } },
      storage: {
        filesystem: { rootdirectory: join(folder, 'data') },
        delete: { enabled: true },
        ...(options.cache === false ? {} : { cache: { blobdescriptor: 'inmemory' } }),
        maintenance: { uploadpurging: { enabled: false } },
      },
      http: { addr: `127.0.0.1:${port}` },
      ...(options.tokens === undefined ? {} : { auth: { token: options.tokens } }),
      ...(credential === undefined ? {} : { auth: { htpasswd: { realm: 'test', path: htpasswd } } }),
    }),
  );
  const env = { ...process.env, OTEL_TRACES_EXPORTER: 'none' };
  const child = spawn(binary, ['serve', config], { env, stdio: 'ignore' });
  const closed = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await answering(port);
  return {
    domain: parseRegistryDomain(`127.0.0.1:${port}`),
    folder,
    pid: child.pid ?? 0,
    collectGarbage: async (deleteUntagged) => {
      await run(binary, ['garbage-collect', ...(deleteUntagged ? ['--delete-untagged'] : []), config]);
    },
    stop: async () => {
      child.kill('SIGKILL');
      await closed;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function answering(port: number): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    const answered = await fetch(`http://127.0.0.1:${port}/v2/`).then(
      () => true,
      () => false,
    );
    if (answered) return;
    await sleep(50);
  }
  throw new Error('the registry did not start');
}
