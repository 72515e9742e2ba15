import type { SiteLetter } from '../../domain/bundle/site-letter.ts';
import { asFailure, Failure } from '../../domain/failure.ts';
import type { Digest } from '../../domain/names/digest.ts';
import { maxEnvelopeBytes } from '../../domain/trust/envelope.ts';
import type { ObjectStore, StoredObject } from '../storage/object-store.ts';
import { sha256 } from '../trust/ed25519.ts';
import type { SiteMail } from './site-mail.ts';

/** Where sites put their receipts and inventories: `inbox/<anything>.json`. */
export const inboxPrefix = 'inbox/';
/** Where files that are no letter of a site are moved. */
export const refusedPrefix = 'inbox-refused/';
/** Files looked at in one pass; the next goes on. */
const mostAtOnce = 1000;

/** What a pass over the inbox did. */
export interface InboxReport {
  /** What was taken, in a few words each. */
  readonly taken: readonly string[];
  /** Files that are no letter of a site, moved to `inbox-refused/`, with why. */
  readonly refused: readonly string[];
  /** Files that wait for a person, such as for the site's key. */
  readonly waiting: number;
}

/** Takes one letter, and tells of it before and after. `digest` is the letter's own. */
export type AroundLetter = (
  letter: SiteLetter & { readonly digest: Digest },
  take: () => Promise<string>,
) => Promise<string>;

/**
 * Takes every receipt and inventory that lies in the bucket's inbox. What was taken is deleted, what is refused for good
 * is moved aside, what a person has to clear up first stays.
 */
export async function emptyInbox(
  store: ObjectStore,
  mail: SiteMail,
  around: AroundLetter,
): Promise<InboxReport> {
  const letters: StoredObject[] = [];
  for await (const object of store.list(inboxPrefix)) if (letters.push(object) >= mostAtOnce) break;
  // In their order of arrival, so that the newest receipt has the last word.
  letters.sort((one, other) => one.modified - other.modified);
  const [taken, refused]: [string[], string[]] = [[], []];
  let waiting = 0;
  for (const letter of letters) {
    try {
      const bytes = await contentOf(store, letter);
      const read = { ...(await mail.read(bytes)), digest: sha256(bytes) };
      taken.push(await around(read, () => mail.take(bytes)));
      await deleteTaken(store, letter.key, bytes);
    } catch (error) {
      const failure = asFailure(error);
      if (failure.entry.class === 'retry') throw failure;
      if (failure.entry.class === 'hold') waiting += 1;
      else refused.push(await setAside(store, letter, failure));
    }
  }
  return { taken, refused, waiting };
}

/** Who always uses the same name may have put the next letter there meanwhile: that is for the next pass. */
async function deleteTaken(store: ObjectStore, key: string, taken: Uint8Array): Promise<void> {
  const there = await store.read(key, maxEnvelopeBytes);
  if (there !== undefined && Buffer.from(there).equals(taken)) await store.delete(key);
}

async function contentOf(store: ObjectStore, { key, size }: StoredObject): Promise<Uint8Array> {
  const bytes = size > maxEnvelopeBytes ? undefined : await store.read(key, maxEnvelopeBytes);
  if (bytes === undefined) throw new Failure('BundleTooLarge', { side: 'storage' });
  return bytes;
}

/** A file that is too large to be a letter is not kept. Its name is a stranger's: only its plain characters are shown. */
async function setAside(store: ObjectStore, { key, size }: StoredObject, failure: Failure): Promise<string> {
  const name = key
    .slice(inboxPrefix.length)
    .replaceAll(/[^\w.-]/g, '_')
    .slice(-100);
  const bytes = size > maxEnvelopeBytes ? undefined : await store.read(key, maxEnvelopeBytes);
  if (bytes !== undefined) await store.write(`${refusedPrefix}${name}`, bytes);
  await store.delete(key);
  return `${name}: ${failure.message}`;
}
