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
import { measure, type Measured, type MeasureOptions } from './measure.ts';
import type { Place } from './sides.ts';
import { watchDisk } from './watch-disk.ts';

/** Images of the release, and the site it goes to. */
export const [tags, site] = [Array.from({ length: 20 }, (_none, index) => `app${index}`), 'plant'];

/** What a staging made; what it took is measured from outside, its start with it. */
export interface Staged {
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
  readonly #warm = new Set<string>();
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
  ): Promise<{ readonly taken: Measured; readonly staged: Staged; readonly scratch: number }> {
    const folder = join(this.#bench.ground.folder, `stage-${(this.#count += 1)}`);
    const scratch = join(folder, 'scratch');
    mkdirSync(scratch, { recursive: true });
    const plan = { ...(await this.#plan(from, sequence)), ...change };
    const order = join(folder, 'order.json');
    const root = Buffer.from(this.#root).toString('base64');
    const { endpoint } = this.#s3;
    writeFileSync(order, JSON.stringify({ endpoint, upstream, plan, signer: this.#key, root }));
    const disk = watchDisk([scratch]);
    const taken = await this.#run('stage-once.ts', [order], { cwd: scratch, env: { TMPDIR: scratch } });
    const staged = JSON.parse(taken.output.slice(taken.output.indexOf('{'))) as Staged;
    return { taken, staged, scratch: disk() };
  }

  /** Bare PUTs of a folder's files: what the store alone takes. */
  async put(folder: string): Promise<Measured> {
    return this.#run('put-once.ts', [this.#s3.endpoint, folder]);
  }

  /** Runs a script that has run before, like the peers: what is compiled in a first run is kept. */
  async #run(name: string, args: readonly string[], options: MeasureOptions = {}): Promise<Measured> {
    const cache = { NODE_COMPILE_CACHE: join(this.#bench.ground.folder, 'compiled') };
    const argv = [process.execPath, join(import.meta.dirname, name)];
    // Without an order it loads everything and fails.
    if (!this.#warm.has(name)) await measure(argv, { env: cache });
    this.#warm.add(name);
    const taken = await measure([...argv, ...args], { ...options, env: { ...options.env, ...cache } });
    if (taken.exitCode !== 0) throw new Error(`${name} failed: ${taken.output}`);
    return taken;
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
