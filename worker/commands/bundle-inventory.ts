import { dirname } from 'node:path';
import { counted } from '../../domain/counted.ts';
import { asFailure, Failure } from '../../domain/failure.ts';
import { parseRegistryDomain } from '../../domain/names/registry-domain.ts';
import { parseRepositoryPath, type RepositoryPath } from '../../domain/names/repository-path.ts';
import { takeInventory } from '../../infra/bundle/take-inventory.ts';
import { writeFileAtomically } from '../../infra/layout/atomic-file.ts';
import { makeFolder } from '../../infra/disk/make-folder.ts';
import { SiteFolder } from '../../infra/layout/site-folder.ts';
import { listRepositories } from '../../infra/registry/catalog.ts';
import type { RegistrySession } from '../../infra/registry/session.ts';
import { RegistryStore } from '../../infra/registry/registry-store.ts';
import { exitCode, runCommand } from './outcome.ts';
import { readPods } from './pods.ts';
import { Registries, type RegistryOptions } from './registries.ts';

/** Options of `imageferry bundle inventory`. */
export interface BundleInventoryOptions extends RegistryOptions {
  readonly registry: string;
  readonly state: string;
  readonly repository: readonly string[];
  readonly out: string;
  readonly pods?: string;
}

/** `imageferry bundle inventory`: signs what the site's registry has, for a bundle that carries only the rest. */
export function bundleInventoryCommand(options: BundleInventoryOptions): Promise<number> {
  return runCommand(options.json, async (signal) => {
    const usage = options.pods === undefined ? {} : { usage: await readPods(options.pods) };
    // What takes long is not begun where its result could not be kept.
    await makeFolder(dirname(options.out));
    const registries = new Registries(options);
    const folder = new SiteFolder(options.state);
    try {
      const { site } = await folder.state();
      const client = registries.clients.of(await registries.access(parseRegistryDomain(options.registry)));
      const repositories =
        options.repository.length > 0
          ? options.repository.map(parseRepositoryPath)
          : await allRepositories(client.session, signal);
      const { bytes, parts, images } = await takeInventory(
        { repository: (path) => new RegistryStore(client, path, 'destination') },
        {
          site,
          repositories,
          signal,
          ...usage,
          signer: await folder.receiptSigner(),
          now: Date.now,
          onDamage: (image, code) => console.error(`imageferry: left out: ${image}: ${code}`),
        },
      );
      await writeFileAtomically(options.out, bytes);
      if (options.json) console.log(JSON.stringify({ site, images, parts, out: options.out }));
      else console.log(`${options.out}: ${counted(images, 'image')}, ${counted(parts, 'part')} of ${site}`);
      return exitCode.done;
    } finally {
      await registries.clients.close();
    }
  });
}

async function allRepositories(
  session: RegistrySession,
  signal: AbortSignal,
): Promise<readonly RepositoryPath[]> {
  try {
    return await listRepositories(session, signal);
  } catch (error) {
    const { code, side, subject, retryable } = asFailure(error);
    if (retryable || code === 'Cancelled') throw error;
    throw new Failure('ListingIncomplete', {
      ...(side === undefined ? {} : { side }),
      ...(subject === undefined ? {} : { subject }),
      detail: 'the registry lists no repositories: name them with --repository',
    });
  }
}
