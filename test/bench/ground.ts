import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseRegistryDomain } from '../../domain/names/registry-domain.ts';
import { parseRepositoryPath } from '../../domain/names/repository-path.ts';
import { loadGraph } from '../../infra/copy/image-graph.ts';
import { bundleCommand } from '../../infra/local/bundle-command.ts';
import { RegistryClients } from '../../infra/registry/registry-client.ts';
import { RegistryStore } from '../../infra/registry/registry-store.ts';
import { listAllTags } from '../../infra/registry/tag-list.ts';
import { cpuSeconds } from './process-use.ts';
import { openFlakyLink, type FlakyLink, type FlakyLinkOptions } from '../support/flaky-link.ts';
import { startRegistryProcess, type RegistryProcess } from '../support/registry-process.ts';

/** The registries of one bench: a source that is seeded once, and a new target for every run. */
export class Ground {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'imageferry-bench-'));
  readonly source: RegistryProcess;
  readonly #targets: RegistryProcess[] = [];
  readonly #standing: RegistryProcess[] = [];
  readonly #links: FlakyLink[] = [];
  readonly #steady: FlakyLink[] = [];

  private constructor(source: RegistryProcess) {
    this.source = source;
  }

  static async open(): Promise<Ground> {
    const ground = new Ground(await startRegistryProcess());
    await bundleCommand(join(ground.folder, 'command'));
    return ground;
  }

  /** Processor seconds that all registries which run now have used so far. */
  registrySeconds(): number {
    const all = [this.source, ...this.#targets, ...this.#standing];
    return all.reduce((sum, { pid }) => sum + cpuSeconds(pid), 0);
  }

  async freshTarget(): Promise<RegistryProcess> {
    const target = await startRegistryProcess();
    this.#targets.push(target);
    return target;
  }

  async link(domain: string, options: FlakyLinkOptions = {}): Promise<FlakyLink> {
    const link = await openFlakyLink(parseRegistryDomain(domain), options);
    this.#links.push(link);
    return link;
  }

  /** A target that stays until the end. */
  async steadyTarget(): Promise<RegistryProcess> {
    const target = await startRegistryProcess();
    this.#standing.push(target);
    return target;
  }

  /** A link that stays until the end; `delayMs` is one way. */
  async steadyLink(domain: string, delayMs: number): Promise<FlakyLink> {
    const link = await openFlakyLink(parseRegistryDomain(domain), { delayMs });
    this.#steady.push(link);
    return link;
  }

  /** Ends what the last run used. */
  async sweep(): Promise<void> {
    await Promise.all(this.#links.splice(0).map((link) => link.close()));
    await Promise.all(this.#targets.splice(0).map((target) => target.stop()));
  }

  async close(): Promise<void> {
    await this.sweep();
    await Promise.all(this.#steady.map((link) => link.close()));
    await Promise.all([this.source, ...this.#standing].map((registry) => registry.stop()));
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A repository of a registry without password. */
export function openRepository(clients: RegistryClients, domain: string, path: string): RegistryStore {
  const access = { domain: parseRegistryDomain(domain), provider: 'other' };
  return new RegistryStore(clients.of(access), parseRepositoryPath(path), 'destination');
}

/** Whether a target has every tag of the source, on the same digest, with every blob readable. Says what is missing. */
export async function incomplete(
  from: { readonly domain: string; readonly path: string },
  to: { readonly domain: string; readonly path: string },
): Promise<string | undefined> {
  const clients = new RegistryClients({ calls: 32 });
  try {
    const [source, target] = [
      openRepository(clients, from.domain, from.path),
      openRepository(clients, to.domain, to.path),
    ];
    const path = parseRepositoryPath(from.path);
    const { session } = clients.of({ domain: parseRegistryDomain(from.domain), provider: 'other' });
    const about = { side: 'source', subject: from.path } as const;
    const tags = await listAllTags(session, path, { path, actions: ['pull'] }, about);
    const seen = new Set<string>();
    const problems: string[] = [];
    const check = async (tag: (typeof tags)[number]): Promise<void> => {
      const [wanted, there] = await Promise.all([source.resolve(tag), target.resolve(tag)]);
      if (there === undefined || there.digest !== wanted?.digest)
        return void problems.push(`${tag} is not there`);
      if (seen.has(there.digest)) return;
      seen.add(there.digest);
      for (const blob of (await loadGraph(target, there)).blobs) {
        if (!seen.has(blob.digest) && !(await target.proveBlob(blob)))
          problems.push(`${tag} lacks ${blob.digest}`);
        seen.add(blob.digest);
      }
    };
    for (let at = 0; at < tags.length; at += 16) await Promise.all(tags.slice(at, at + 16).map(check));
    return problems[0];
  } finally {
    await clients.close();
  }
}
