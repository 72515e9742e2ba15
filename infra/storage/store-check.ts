import { randomUUID } from 'node:crypto';
import { asFailure } from '../../domain/failure.ts';
import { honoursCreateOnly } from './conditional-writes.ts';
import { isLoopback } from './loopback.ts';
import type { ObjectStore } from './object-store.ts';

const anonymousMs = 5000;

/** What a store has that a store of bundles should not have; in words for people. */
export interface StoreReport {
  readonly warnings: readonly string[];
  /** Whether it honours `If-None-Match: *`. */
  readonly createOnly: boolean;
}

/**
 * Looks at a store when the hub starts: whether strangers may list or read it, whether it is spoken to in the clear, and
 * whether it writes a name only once (faults K11, K18). Throws what the store fails with.
 */
export async function checkStore(store: ObjectStore): Promise<StoreReport> {
  const warnings: string[] = [];
  const createOnly = await honoursCreateOnly(store);
  if (!createOnly)
    warnings.push('It ignores If-None-Match: numbers of bundles are claimed as Leases instead');
  const { endpoint } = store;
  if (endpoint?.protocol === 'http:' && !isLoopback(endpoint.hostname)) {
    warnings.push('It is spoken to over plain http: who is on the way can read and change what is stored');
  }
  const base = endpoint ?? new URL(`https://s3.${store.region}.amazonaws.com`);
  const bucket = new URL(`/${store.bucket}`, base);
  if (await answersAnyone(new URL(`${bucket.href}?list-type=2&max-keys=1`))) {
    warnings.push('Anyone may list the bucket');
  }
  const probe = `probes/${randomUUID()}`;
  await store.write(probe, Buffer.from('imageferry'));
  try {
    if (await answersAnyone(new URL(`${bucket.href}/${probe}`))) warnings.push('Anyone may read the bucket');
  } finally {
    await store.delete(probe).catch((error: unknown) => asFailure(error));
  }
  return { warnings, createOnly };
}

/** Whether a request without any credential is answered. */
async function answersAnyone(url: URL): Promise<boolean> {
  try {
    const answer = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(anonymousMs) });
    await answer.body?.cancel();
    return answer.ok;
  } catch {
    return false;
  }
}
