import { Failure } from '../../domain/failure.ts';
import { rootFile } from '../../domain/bundle/file-set.ts';
import { humanSize } from '../../domain/human-size.ts';
import { parseSiteName, type SiteName } from '../../domain/names/kubernetes-name.ts';
import { pinRoot, type TrustRoot } from '../../domain/trust/trust-root.ts';
import { openArchiveOrigin } from '../../infra/bundle/archive-origin.ts';
import { fetchBundle, type BundleOrigin } from '../../infra/bundle/fetch-bundle.ts';
import { HubApi } from '../../infra/bundle/hub-api.ts';
import { poolKey } from '../../infra/storage/blob-pool.ts';
import { BundleShelf } from '../../infra/storage/bundle-shelf.ts';
import { verifyEd25519 } from '../../infra/trust/ed25519.ts';
import { openBucket } from './bucket.ts';
import { givenFile } from './given-file.ts';
import { exitCode, runCommand } from './outcome.ts';
import { ProgressLine } from './progress-line.ts';

/** Options of `imageferry bundle fetch`. */
export interface BundleFetchOptions {
  readonly root: string;
  readonly to: string;
  readonly api?: string;
  readonly tokenFile?: string;
  readonly json: boolean;
}

/** `imageferry bundle fetch <site> <sequence>`: from the bucket, or with `--api` from the API. Resolves with the exit code. */
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
    const trust = pinRoot(givenFile(options.root), verifyEd25519);
    const origin = await openOrigin({ site, sequence, trust }, options, signal);
    const to = options.to.replace(/(?<=.)\/+$/, '');
    const line = new ProgressLine(`bundle ${sequence}`, options.json);
    const onProgress = line.show.bind(line);
    const { statement, digest } = await fetchBundle(origin, {
      site,
      sequence,
      trust,
      signal,
      to,
      onProgress,
    }).finally(() => {
      line.clear();
      origin.close();
    });
    const { totalBytes, expires } = statement;
    if (options.json) console.log(JSON.stringify({ site, sequence, digest, totalBytes, expires }));
    else
      console.log(
        `${options.to}: bundle ${sequence} for ${site}, ${humanSize(totalBytes)}, until ${expires}`,
      );
    return exitCode.done;
  });
}

async function openOrigin(
  {
    site,
    sequence,
    trust,
  }: { readonly site: SiteName; readonly sequence: number; readonly trust: TrustRoot },
  { api, tokenFile }: BundleFetchOptions,
  signal: AbortSignal,
): Promise<BundleOrigin & { close(): void }> {
  if (api !== undefined) {
    if (tokenFile === undefined) throw new Failure('InvalidRequest', { detail: 'name --token-file as well' });
    const hub = new HubApi(api, givenFile(tokenFile).toString('utf8'));
    const origin = await openArchiveOrigin(hub.archive(site, sequence, signal), trust, signal);
    return { ...origin, close: () => undefined };
  }
  const store = openBucket(process.env);
  const shelf = new BundleShelf(store);
  return {
    manifest: shelf.manifest.bind(shelf),
    root: (version) => store.read(rootFile(version), 4 * 1024 * 1024),
    blob: ({ digest }, from) => store.stream(poolKey(digest), from, undefined, signal),
    close: () => store.close(),
  };
}
