import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../install/run.ts';
import { answers } from '../probe.ts';
import type { Running } from '../process.ts';
import { start } from '../process.ts';
import { writePrivately } from '../secrets.ts';

export interface RegistryOptions {
  readonly name: 'upstream' | 'edge';
  readonly port: number;
  readonly username: string;
  readonly password: string;
}

/** A password-protected registry that allows deletes. Its data is in `folder/<name>`. */
export async function startRegistry(
  folder: string,
  program: string,
  options: RegistryOptions,
): Promise<Running> {
  const htpasswd = join(folder, `${options.name}.htpasswd`);
  if (!existsSync(htpasswd)) {
    const hash = await run(program, ['htpasswd'], { input: options.password });
    writePrivately(htpasswd, `${options.username}:${hash}`);
  }
  const config = join(folder, `${options.name}.yml`);
  writePrivately(config, configuration(folder, htpasswd, options));
  return start(folder, {
    name: options.name,
    program,
    args: ['serve', config],
    env: { OTEL_TRACES_EXPORTER: 'none' },
    ready: () => answers(`http://127.0.0.1:${options.port}/v2/`, [401]),
  });
}

// JSON is YAML.
function configuration(folder: string, htpasswd: string, { name, port }: RegistryOptions): string {
  const settings = {
    version: '0.1',
    log: { level: 'warn', accesslog: { disabled: true } },
    storage: {
      filesystem: { rootdirectory: join(folder, name) },
      delete: { enabled: true },
      cache: { blobdescriptor: 'inmemory' },
      maintenance: { uploadpurging: { enabled: false } },
    },
    http: { addr: `127.0.0.1:${port}` },
    auth: { htpasswd: { realm: name, path: htpasswd } },
  };
  return JSON.stringify(settings, null, 2);
}
