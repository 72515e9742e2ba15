import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSiteName } from '../../domain/names/kubernetes-name.ts';
import { parseRepositoryPath } from '../../domain/names/repository-path.ts';
import { parseTag } from '../../domain/names/tag.ts';
import { RegistryClients } from '../../infra/registry/registry-client.ts';
import { generateSigningKey, signerOf } from '../../infra/trust/ed25519.ts';
import { rootOf, signRoot } from '../support/signed-samples.ts';
import type { S3Process } from '../support/s3-process.ts';
import type { Bench } from './bench-case.ts';
import { openRepository } from './ground.ts';
import { measure } from './measure.ts';
import type { Place } from './sides.ts';
import { watchDisk } from './watch-disk.ts';

/** Images of the release, and the site it goes to. */
export const [tags, site] = [Array.from({ length: 20 }, (_none, index) => `app${index}`), 'plant'];

/** What a staging took and made. */
export interface Staged {
  readonly wallSeconds: number;
  readonly publishSeconds: number;
  readonly cpuSeconds: number;
  readonly peakMiB: number;
  readonly moved: number;
  readonly digest: string;
  readonly bytes: { readonly full: number; readonly carried: number };
}

/** What one turn of our side leaves for the next step. */
export class Hub {
  readonly #bench: Bench;
  readonly #s3: S3Process;
  readonly #key = generateSigningKey().privatePem;
  readonly #root = signRoot(rootOf(1, [signerOf(this.#key)]), [signerOf(this.#key)]);
  #count = 0;

  constructor(bench: Bench, s3: S3Process) {
    this.#bench = bench;
    this.#s3 = s3;
    writeFileSync(this.rootPath, this.#root);
  }

  get rootPath(): string {
    return join(this.#bench.ground.folder, 'root.1.json');
  }

  /** Empties the pool, so that a turn starts cold. */
  async forget(): Promise<void> {
    for await (const { key } of this.#s3.store.list('')) {
      if (!key.startsWith('roots/')) await this.#s3.store.delete(key);
    }
  }

  /** Stages in a process of its own, whose scratch folder is watched. */
  async stage(
    from: Place,
    sequence: number,
    change: object = {},
    upstream: string = from.domain,
  ): Promise<{ readonly staged: Staged; readonly scratch: number }> {
    const folder = join(this.#bench.ground.folder, `stage-${(this.#count += 1)}`);
    const scratch = join(folder, 'scratch');
    mkdirSync(scratch, { recursive: true });
    const plan = { ...(await this.#plan(from, sequence)), ...change };
    const order = join(folder, 'order.json');
    const root = Buffer.from(this.#root).toString('base64');
    const { endpoint } = this.#s3;
    writeFileSync(order, JSON.stringify({ endpoint, upstream, plan, signer: this.#key, root }));
    const disk = watchDisk([scratch]);
    const script = join(import.meta.dirname, 'stage-once.ts');
    const { output, exitCode } = await measure([process.execPath, script, order], {
      cwd: scratch,
      env: { TMPDIR: scratch },
    });
    if (exitCode !== 0) throw new Error(`staging failed: ${output}`);
    const staged = JSON.parse(output.slice(output.indexOf('{'))) as Staged;
    return { staged, scratch: disk() };
  }

  async #plan(from: Place, sequence: number): Promise<object> {
    const clients = new RegistryClients();
    try {
      const store = openRepository(clients, from.domain, from.path);
      const wanted = await Promise.all(
        tags.map(async (tag) => ({
          ref: { namespace: 'default', name: tag },
          registryRef: { namespace: 'default', name: 'hub' },
          source: from.path,
          repo: parseRepositoryPath('twenty/apps'),
          tag,
          root: await store.resolve(parseTag(tag)),
        })),
      );
      const now = Date.now();
      const [createdAt, expires] = [new Date(now).toISOString(), new Date(now + 86_400_000).toISOString()];
      return { site: parseSiteName(site), sequence, kind: 'delta', createdAt, expires, images: wanted };
    } finally {
      await clients.close();
    }
  }

  env(): Record<string, string> {
    const { AWS_ACCESS_KEY_ID = '', AWS_SECRET_ACCESS_KEY = '' } = process.env;
    return { S3_ENDPOINT: this.#s3.endpoint, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY };
  }
}
