import { readSiteLetter } from '../../domain/bundle/site-letter.ts';
import { Failure } from '../../domain/failure.ts';
import { HubApi } from '../../infra/bundle/hub-api.ts';
import { inboxPrefix } from '../../infra/bundle/inbox.ts';
import { sha256 } from '../../infra/trust/ed25519.ts';
import { openBucket } from './bucket.ts';
import { givenFile } from './given-file.ts';
import { exitCode, runCommand } from './outcome.ts';

/** Options of `imageferry receipt apply`. */
export interface ReceiptOptions {
  readonly api?: string;
  readonly tokenFile?: string;
  readonly bucket: boolean;
}

/**
 * `imageferry receipt apply <file>`: brings what a site sent back, a receipt or an inventory, to the API, or leaves it in
 * the bucket, where the hub finds it. The hub verifies it under the site's pinned key.
 */
export function receiptApplyCommand(path: string, options: ReceiptOptions): Promise<number> {
  return runCommand(false, async (signal) => {
    const bytes = givenFile(path);
    const { site, kind } = readSiteLetter(bytes);
    if (options.bucket) {
      const store = openBucket(process.env);
      const key = `${inboxPrefix}${site}-${kind}-${sha256(bytes).slice(-16)}.json`;
      await store.write(key, bytes, { signal });
      store.close();
      console.log(`${site}: the hub takes it from ${key} within minutes`);
      return exitCode.done;
    }
    const { api, tokenFile } = options;
    if (api === undefined || tokenFile === undefined) {
      throw new Failure('InvalidRequest', { detail: 'name --api and --token-file, or --bucket' });
    }
    const hub = new HubApi(api, givenFile(tokenFile).toString('utf8'));
    const message = await hub.post(site, kind === 'receipt' ? 'receipts' : 'inventory', bytes, signal);
    console.log(`${site}: ${message}`);
    return exitCode.done;
  });
}
