import { readFileSync } from 'node:fs';
import { Failure } from '../../domain/failure.ts';
import { rootFile } from '../../domain/bundle/file-set.ts';
import { humanSize } from '../../domain/human-size.ts';
import { parseSiteName } from '../../domain/names/kubernetes-name.ts';
import { pinRoot } from '../../domain/trust/trust-root.ts';
import { fetchBundle } from '../../infra/bundle/fetch-bundle.ts';
import { poolKey } from '../../infra/storage/blob-pool.ts';
import { BundleShelf } from '../../infra/storage/bundle-shelf.ts';
import { ObjectStore } from '../../infra/storage/object-store.ts';
import { verifyEd25519 } from '../../infra/trust/ed25519.ts';
import { exitCode, runCommand } from './outcome.ts';

/** Options of `imageferry bundle fetch`. */
export interface BundleFetchOptions {
  readonly root: string;
  readonly to: string;
  readonly json: boolean;
}

/** `imageferry bundle fetch <site> <sequence>`: resolves with the exit code. */
export function bundleFetchCommand(
  siteName: string,
  number: string,
  options: BundleFetchOptions,
): Promise<number> {
  return runCommand(options.json, async (signal) => {
    const site = parseSiteName(siteName);
    const sequence = Number(number);
    if (!(Number.isSafeInteger(sequence) && sequence > 0)) {
      throw new Failure('InvalidRequest', { detail: 'a bundle’s number is a whole number from 1' });
    }
    const store = new ObjectStore(addressOf(process.env));
    const shelf = new BundleShelf(store);
    const origin = {
      manifest: shelf.manifest.bind(shelf),
      root: (version: number) => store.read(rootFile(version), 4 * 1024 * 1024),
      blob: ({ digest }: { readonly digest: Parameters<typeof poolKey>[0] }, from: number) =>
        store.stream(poolKey(digest), from, undefined, signal),
    };
    const trust = pinRoot(readFileSync(options.root), verifyEd25519);
    const { statement, digest } = await fetchBundle(origin, {
      site,
      sequence,
      trust,
      signal,
      to: options.to.replace(/\/+$/, ''),
    });
    store.close();
    const { totalBytes, expires } = statement;
    if (options.json) console.log(JSON.stringify({ site, sequence, digest, totalBytes, expires }));
    else
      console.log(
        `${options.to}: bundle ${sequence} for ${site}, ${humanSize(totalBytes)}, until ${expires}`,
      );
    return exitCode.done;
  });
}

function addressOf(env: NodeJS.ProcessEnv): ConstructorParameters<typeof ObjectStore>[0] {
  const endpoint = env['S3_ENDPOINT'];
  return {
    region: env['S3_REGION'] ?? 'us-east-1',
    bucket: env['S3_BUCKET'] ?? 'imageferry',
    ...(endpoint === undefined ? {} : { endpoint }),
  };
}
