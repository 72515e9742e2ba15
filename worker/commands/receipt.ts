import { readFileSync } from 'node:fs';
import { claimedSite } from '../../domain/bundle/receipt.ts';
import { Failure } from '../../domain/failure.ts';
import { exitCode, runCommand } from './outcome.ts';

/** Options of `imageferry receipt apply`. */
export interface ReceiptOptions {
  readonly api: string;
  readonly tokenFile: string;
}

/** `imageferry receipt apply <file>`: brings a site's receipt to the API, which verifies it under the site's pinned key. */
export function receiptApplyCommand(path: string, options: ReceiptOptions): Promise<number> {
  return runCommand(false, async (signal) => {
    const bytes = readFileSync(path);
    const site = claimedSite(bytes);
    const url = new URL(`/oapis/image.theriseunion.io/v1alpha1/sites/${site}/receipts`, options.api);
    const answer = await fetch(url, {
      method: 'POST',
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(60_000)]),
      headers: {
        authorization: `Bearer ${readFileSync(options.tokenFile, 'utf8').trim()}`,
        'content-type': 'application/json',
      },
      body: bytes,
    }).catch((cause: unknown) => {
      throw new Failure('NetworkError', { side: 'cluster', subject: url.host, cause });
    });
    const body = (await answer.json().catch(() => ({}))) as { readonly message?: unknown };
    const message = typeof body.message === 'string' ? body.message : `HTTP ${answer.status}`;
    if (!answer.ok) throw new Failure('InvalidRequest', { side: 'caller', subject: path, detail: message });
    console.log(`${site}: ${message}`);
    return exitCode.done;
  });
}
