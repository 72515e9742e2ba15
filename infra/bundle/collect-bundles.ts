import { parseStatement } from '../../domain/bundle/parse-statement.ts';
import { forgettable } from '../../domain/bundle/forgotten.ts';
import { planRetention, type KeptBundle } from '../../domain/bundle/retention.ts';
import { bundleObjectName } from '../../domain/bundle/stage-plan.ts';
import { parseDigest, type Digest } from '../../domain/names/digest.ts';
import { parseSiteName, type SiteName } from '../../domain/names/kubernetes-name.ts';
import type { EdgeSite } from '../../domain/resources/edge-site.ts';
import { parseEnvelope } from '../../domain/trust/envelope.ts';
import type { ResourceClients } from '../kubernetes/cluster.ts';
import { listPool, poolKey } from '../storage/blob-pool.ts';
import { BundleShelf } from '../storage/bundle-shelf.ts';
import { collectLeftovers } from './collect-leftovers.ts';
import { abortStrayUploads } from '../storage/janitor.ts';
import { SharedFlights } from '../storage/shared-flights.ts';

/** What a pass did. */
export interface CollectReport {
  readonly bundles: number;
  readonly blobs: number;
  readonly bytes: number;
  /** Blobs that nothing needs and that the next pass may take. */
  readonly marked: number;
  readonly uploads: number;
  /** Records, inventories, failed plans and refused letters that nothing needs any more. */
  readonly leftovers: number;
  /** Whether a staging was under way, so that no blob was touched. */
  readonly held: boolean;
}

export interface CollectOptions {
  /** Epoch milliseconds. */
  readonly now: number;
  /** Milliseconds between a blob's mark and its end, and the least age of what is marked. Default: one day. */
  readonly grace?: number;
}

/** What a pass goes by among the flights of a store. */
export const sweepFlight = 'sweep';
const day = 86_400_000;
const marksKey = 'retention/marks.json';
/**
 * A plan without a manifest counts as work in progress for so long: much goes over a slow line for a week, and what it brought
 * first is needed at its end. Milliseconds: fourteen days.
 */
const stagingMs = 14 * day;

/**
 * One pass of mark, grace, sweep: old bundles go, and blobs that an earlier pass marked and that still nothing needs.
 * A blob of a live or unacknowledged bundle is never touched, and none at all while anything is being staged.
 */
export function collectBundles(
  shelf: BundleShelf,
  resources: ResourceClients,
  options: CollectOptions,
): Promise<CollectReport> {
  // Whoever has planned a bundle waits for the end of a pass; whoever had before it began is seen by it.
  return new SharedFlights(shelf.store).alone(sweepFlight, (stillHeld) =>
    onePass(shelf, resources, options, stillHeld),
  );
}

async function onePass(
  shelf: BundleShelf,
  resources: ResourceClients,
  options: CollectOptions,
  stillHeld: () => void,
): Promise<CollectReport> {
  const grace = options.grace ?? day;
  // First: a bundle that is staged and published meanwhile is either seen here or among the published ones.
  const held = await isStaging(shelf, options.now);
  const sites = await resources.resource('edgesites').list();
  const bundles = await publishedBundles(shelf);
  const pool = await poolOf(shelf);
  const acknowledged = new Map(sites.flatMap(acknowledgedOf));
  const plan = planRetention({ bundles, acknowledged, inProgress: [], pool, now: options.now, grace });
  const dropped = plan.bundles.filter(({ fate }) => fate.startsWith('dropped'));
  for (const { bundle } of dropped) await drop(shelf, resources, bundle);
  await forget(resources, options.now);
  const uploads = await abortStrayUploads(shelf.store, options.now - day);
  const before = await readMarks(shelf);
  const swept = held
    ? []
    : plan.sweep.filter(
        ({ digest }) => (before.get(digest) ?? Number.POSITIVE_INFINITY) <= options.now - grace,
      );
  for (const { digest } of swept) {
    stillHeld();
    await shelf.store.delete(poolKey(digest));
  }
  const leftovers = held ? 0 : await collectLeftovers(shelf, sites, options.now);
  const gone = new Set(swept.map(({ digest }) => digest));
  const marks = plan.sweep.filter(({ digest }) => !gone.has(digest));
  await writeMarks(shelf, new Map(marks.map(({ digest }) => [digest, before.get(digest) ?? options.now])));
  return {
    bundles: dropped.length,
    blobs: swept.length,
    bytes: swept.reduce((sum, { size }) => sum + size, 0),
    marked: marks.length,
    uploads,
    leftovers,
    held,
  };
}

function acknowledgedOf({ metadata, status }: EdgeSite): [SiteName, number][] {
  const sequence = status?.acknowledged?.sequence;
  return sequence === undefined ? [] : [[parseSiteName(metadata.name), sequence]];
}

async function publishedBundles(shelf: BundleShelf): Promise<KeptBundle[]> {
  const bundles: KeptBundle[] = [];
  for (const site of await shelf.sites()) {
    for (const [sequence, files] of await shelf.sequences(site)) {
      if (!files.includes('manifest.dsse.json')) continue;
      const bytes = await shelf.manifest(site, sequence);
      if (bytes === undefined) continue;
      // One that cannot be read stops the pass: what it needs is not known.
      const { expires, blobs, assumed } = parseStatement(parseEnvelope(bytes));
      bundles.push({ site, sequence, expires, content: [...blobs, ...assumed].map(({ digest }) => digest) });
    }
  }
  return bundles;
}

async function poolOf(
  shelf: BundleShelf,
): Promise<{ readonly digest: Digest; readonly size: number; readonly modified: number }[]> {
  const pool = [];
  for await (const { digest, size, modified } of listPool(shelf.store)) pool.push({ digest, size, modified });
  return pool;
}

/** The status first: after a crash in between, the next pass finds the files and does it again. */
async function drop(shelf: BundleShelf, resources: ResourceClients, bundle: KeptBundle): Promise<void> {
  const name = bundleObjectName(bundle.site, bundle.sequence);
  await resources
    .resource('imagebundles')
    .changeStatus({ name }, ({ status }) => ({ ...status, phase: 'Collected' }));
  await shelf.remove(bundle.site, bundle.sequence);
}

/** Deletes the objects of bundles that nobody has to see any more. */
async function forget(resources: ResourceClients, now: number): Promise<void> {
  const bundles = resources.resource('imagebundles');
  for (const { metadata } of forgettable(await bundles.list(), now)) {
    await bundles.delete({ name: metadata.name }, metadata.uid);
  }
}

async function isStaging(shelf: BundleShelf, now: number): Promise<boolean> {
  for (const site of await shelf.sites()) {
    for (const [sequence, files] of await shelf.sequences(site)) {
      if (!BundleShelf.isStaging(files)) continue;
      const plan = (await shelf.plan(site, sequence)) as { readonly createdAt?: string } | undefined;
      if (now - Date.parse(plan?.createdAt ?? '') < stagingMs) return true;
    }
  }
  return false;
}

/** When each blob was first seen to be needed by nothing. Marks that cannot be read are made anew: that costs a day. */
async function readMarks(shelf: BundleShelf): Promise<ReadonlyMap<Digest, number>> {
  const bytes = await shelf.store.read(marksKey, 64 * 1024 * 1024);
  if (bytes === undefined) return new Map();
  try {
    const marks = JSON.parse(Buffer.from(bytes).toString('utf8')) as Record<string, unknown>;
    return new Map(Object.entries(marks).map(([digest, time]) => [parseDigest(digest), Number(time)]));
  } catch {
    return new Map();
  }
}

async function writeMarks(shelf: BundleShelf, marks: ReadonlyMap<Digest, number>): Promise<void> {
  await shelf.store.write(marksKey, Buffer.from(JSON.stringify(Object.fromEntries(marks))));
}
