import { counted } from '../../domain/counted.ts';
import { Failure } from '../../domain/failure.ts';
import { humanSize } from '../../domain/human-size.ts';
import { parseRegistryDomain } from '../../domain/names/registry-domain.ts';
import { importBundle, type ImportOutcome } from '../../infra/bundle/import-bundle.ts';
import { UploadFiles } from '../../infra/copy/upload-files.ts';
import { openBundleMedium } from '../../infra/layout/open-medium.ts';
import { SiteFolder } from '../../infra/layout/site-folder.ts';
import { lockSite } from '../../infra/layout/site-lock.ts';
import { RegistryStore } from '../../infra/registry/registry-store.ts';
import { join } from 'node:path';
import { exitCode, runCommand } from './outcome.ts';
import { readPods } from './pods.ts';
import { Registries, type RegistryOptions } from './registries.ts';

/** Options of `imageferry bundle import`. */
export interface BundleImportOptions extends RegistryOptions {
  readonly registry: string;
  readonly state: string;
  readonly dryRun: boolean;
  readonly acceptClock: boolean;
  readonly pods?: string;
}

/** `imageferry bundle import <path>`: resolves with the exit code. */
export function bundleImportCommand(path: string, options: BundleImportOptions): Promise<number> {
  return runCommand(options.json, async (signal) => {
    const usage = options.pods === undefined ? {} : { usage: await readPods(options.pods) };
    const registries = new Registries(options);
    const folder = new SiteFolder(options.state);
    // Without a pinned trust there is nothing to lock.
    await folder.state().catch((error: unknown) => {
      if (error instanceof Failure && error.code === 'NoTrustRoot') throw error;
    });
    const unlock = await lockSite(options.state);
    const medium = await openBundleMedium(path);
    try {
      const client = registries.clients.of(await registries.access(parseRegistryDomain(options.registry)));
      const outcome = await importBundle(
        { medium, folder, repository: (repo) => new RegistryStore(client, repo, 'destination') },
        {
          now: Date.now,
          dryRun: options.dryRun,
          acceptClock: options.acceptClock,
          signal,
          ...usage,
          memory: new UploadFiles(join(options.state, 'uploads')),
          ...(options.quiet || options.json ? {} : { report: (line) => console.log(line) }),
        },
      );
      tell(outcome, options);
      return exitCode.done;
    } finally {
      await medium.close();
      await registries.clients.close();
      await unlock();
    }
  });
}

function tell({ bundle, bytesMoved, receiptPath, state }: ImportOutcome, options: BundleImportOptions): void {
  const { statement, digest, acceptance } = bundle;
  if (options.json) {
    const { sequence, site, totalBytes, images } = statement;
    const counts = { images: images.length, committedSequence: state.committedSequence };
    const { dryRun } = options;
    const told = { site, sequence, digest, acceptance, totalBytes, bytesMoved, dryRun, receiptPath };
    console.log(JSON.stringify({ ...told, ...counts }));
    return;
  }
  const sizes = `${counted(statement.images.length, 'image')}, ${humanSize(statement.totalBytes)} carried`;
  if (options.dryRun) console.log(`bundle ${statement.sequence} would be taken: ${acceptance}; ${sizes}`);
  else
    console.log(
      `bundle ${statement.sequence} is at ${statement.site}: ${sizes}, ${humanSize(bytesMoved)} moved`,
    );
  if (receiptPath !== undefined) console.log(`receipt: ${receiptPath}`);
}
