import { parseDigest } from '../../domain/names/digest.ts';
import { parseSiteName } from '../../domain/names/kubernetes-name.ts';
import type { EdgeSite } from '../../domain/resources/edge-site.ts';
import { poolKey } from '../storage/blob-pool.ts';
import type { BundleShelf } from '../storage/bundle-shelf.ts';
import { parseImageRecord } from './image-record.ts';
import { refusedPrefix } from './inbox.ts';

const day = 86_400_000;
/** Milliseconds for which a refused letter is kept, for people to look at: thirty days. */
const refusedMs = 30 * day;
const maxRecordBytes = 16 * 1024 * 1024;

/**
 * Deletes what only belonged to things that are gone: records of images whose root left the pool, inventories and
 * words about usage that a later one replaced, plans that failed, refused letters. Nothing younger than a day, and nothing at all while anything is being
 * staged: whoever stages wrote some of it a moment ago. Resolves with how many.
 */
export async function collectLeftovers(
  shelf: BundleShelf,
  sites: readonly EdgeSite[],
  now: number,
): Promise<number> {
  const old = [
    ...(await oldRecords(shelf, now - day)),
    ...(await oldLetters(shelf, sites, now - day)),
    ...(await keysBefore(shelf, refusedPrefix, now - refusedMs)),
    ...(await keysBefore(shelf, 'probes/', now - day)),
  ];
  for (const key of old) await shelf.store.delete(key);
  return old.length + (await dropFailedPlans(shelf));
}

async function oldRecords(shelf: BundleShelf, before: number): Promise<readonly string[]> {
  const gone: string[] = [];
  for (const key of await keysBefore(shelf, 'images/', before)) {
    const bytes = await shelf.store.read(key, maxRecordBytes);
    const record = bytes === undefined ? undefined : parseImageRecord(parsed(bytes));
    const root = record === undefined ? undefined : await shelf.store.head(poolKey(record.root.digest));
    if (root === undefined) gone.push(key);
  }
  return gone;
}

async function oldLetters(
  shelf: BundleShelf,
  sites: readonly EdgeSite[],
  before: number,
): Promise<readonly string[]> {
  const current = new Set(
    sites.flatMap(({ metadata: { name }, status: { inventory, usage } = {} }) => [
      ...(inventory === undefined
        ? []
        : [shelf.inventoryKey(parseSiteName(name), parseDigest(inventory.digest))]),
      ...(usage === undefined ? [] : [shelf.usageKey(parseSiteName(name), parseDigest(usage.digest))]),
    ]),
  );
  const all = await keysBefore(shelf, 'sites/', before);
  return all.filter((key) => /^sites\/[^/]+\/(inventories|usage)\//.test(key) && !current.has(key));
}

/** A failed plan's number stays used: the ImageBundle of that name tells why it failed. */
async function dropFailedPlans(shelf: BundleShelf): Promise<number> {
  let dropped = 0;
  for (const site of await shelf.sites()) {
    const sequences = [...(await shelf.sequences(site))];
    // The newest stays in any case: the next number is counted from it.
    for (const [sequence, files] of sequences.slice(0, -1)) {
      if (!files.includes('failed.json') || files.includes('manifest.dsse.json')) continue;
      await shelf.remove(site, sequence);
      dropped += 1;
    }
  }
  return dropped;
}

async function keysBefore(shelf: BundleShelf, prefix: string, before: number): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const { key, modified } of shelf.store.list(prefix)) if (modified < before) keys.push(key);
  return keys;
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}
