import { printReceipt, type Receipt } from '../../domain/bundle/receipt.ts';
import { adoptRoot, begin, commit, type SiteState } from '../../domain/bundle/site-state.ts';
import {
  statementPayloadType,
  type BundleBlob,
  type BundleImage,
  type BundleStatement,
} from '../../domain/bundle/statement.ts';
import { counted } from '../../domain/counted.ts';
import { Failure } from '../../domain/failure.ts';
import type { RepositoryPath } from '../../domain/names/repository-path.ts';
import type { SiteUsage } from '../../domain/usage/site-usage.ts';
import { BlobGuesses } from '../copy/blob-guesses.ts';
import { copyImage } from '../copy/copy-image.ts';
import type { ContentSource, ContentStore, UploadMemory } from '../copy/content.ts';
import type { CopyContext } from '../copy/copy-graph.ts';
import { inParallel } from '../copy/in-parallel.ts';
import { ManifestCache } from '../copy/manifest-cache.ts';
import { ProvenParts } from '../copy/proven-parts.ts';
import { SingleFlight } from '../copy/single-flight.ts';
import { Slots } from '../registry/slots.ts';
import type { BundleMedium } from '../layout/bundle-medium.ts';
import { bundleSources } from '../layout/bundle-source.ts';
import type { SiteFolder } from '../layout/site-folder.ts';
import { carriedRoots, verifyBundle, verifyContent, type VerifiedBundle } from '../layout/verify-bundle.ts';
import { signEnvelope } from '../trust/ed25519.ts';

/** Images on their way at once; the blobs of all share the lanes. */
const imagesAtOnce = 8;
/** From this many images of a repository on, one look at its tags saves more questions than it costs. */
const imagesWorthAList = 4;

/** What an import works on. */
export interface ImportTarget {
  readonly medium: BundleMedium;
  readonly folder: SiteFolder;
  /** A repository of the site's registry. */
  readonly repository: (path: RepositoryPath) => ContentStore;
}

export interface ImportOptions {
  /** The system clock, epoch milliseconds. */
  readonly now: () => number;
  /** Check everything, write nothing. Default: false. */
  readonly dryRun?: boolean;
  /** A person vouches that the clock is wrong. Default: false. */
  readonly acceptClock?: boolean;
  readonly signal?: AbortSignal;
  readonly memory?: UploadMemory;
  /** Blobs that are on their way at a time. Default: 4. */
  readonly lanes?: number;
  readonly report?: (line: string) => void;
  /** What the site's Pods use, for the receipt. Default: not told. */
  readonly usage?: SiteUsage;
}

export interface ImportOutcome {
  readonly bundle: VerifiedBundle;
  readonly state: SiteState;
  readonly bytesMoved: number;
  /** Path of the signed receipt; none after a dry run. */
  readonly receiptPath?: string;
}

/**
 * Brings a bundle into a site's registry. Everything is verified before the first write; the sequence is committed when
 * every image was read back; whatever was cut off goes on where it stopped when it is run again.
 */
export async function importBundle(target: ImportTarget, options: ImportOptions): Promise<ImportOutcome> {
  const { medium, folder } = target;
  const [state, bundle] = await verify(target, options);
  const { sequence, assumed } = bundle.statement;
  const isReplay = bundle.acceptance === 'replay';
  if (isReplay && (await isWhole(target, bundle.statement, options))) {
    const kept = await folder.readReceipt(sequence);
    const isTold = kept !== undefined && options.usage === undefined;
    if (isTold || options.dryRun === true) return { bundle, state, bytesMoved: 0 };
    return { bundle, state, bytesMoved: 0, receiptPath: await writeReceipt(folder, bundle, options) };
  }
  if (isReplay) await verifyContent(medium, bundle.statement, options);
  const proven = new ProvenParts();
  await proveAssumed(assumed, target, proven, options);
  if (options.dryRun === true) return { bundle, state, bytesMoved: 0 };
  const begun = isReplay ? state : begin(state, { sequence, digest: bundle.digest });
  await folder.writeState(begun);
  const bytesMoved = await pushAll({ ...target, medium }, bundle, proven, options);
  const committed = commit(begun, bundle.statement, bundle.digest);
  // The receipt first: once the sequence is committed, a rerun would only say that all is there.
  const receiptPath = await writeReceipt(folder, bundle, options);
  await folder.writeState(committed);
  return { bundle, state: committed, bytesMoved, receiptPath };
}

/** Whether a bundle that was imported is there still: a registry may have lost its images, and then they are brought again. */
async function isWhole(
  { repository }: ImportTarget,
  { sequence, images }: BundleStatement,
  { signal, report }: ImportOptions,
): Promise<boolean> {
  let lost = 0;
  await inParallel(images, async ({ repo, tag, digest }) => {
    if ((await repository(repo).resolve(tag, signal))?.digest !== digest) lost += 1;
  });
  const are = lost === 1 ? 'is' : 'are';
  if (lost === 0) report?.(`bundle ${sequence} is there already`);
  else report?.(`bundle ${sequence} was there, and ${counted(lost, 'image')} ${are} not any more`);
  return lost === 0;
}

/** Adopts the roots that the bundle brings, each stored before it is used, then runs the checks. */
async function verify(
  { medium, folder }: ImportTarget,
  options: ImportOptions,
): Promise<[SiteState, VerifiedBundle]> {
  let state = await folder.state();
  let root = await folder.root();
  if (root.version !== state.rootVersion) state = adoptRoot(state, root);
  for (const carried of await carriedRoots(medium, root)) {
    if (options.dryRun !== true) await folder.storeRoot(carried.root, carried.bytes);
    state = adoptRoot(state, carried.root);
    root = carried.root;
    if (options.dryRun !== true) await folder.writeState(state);
    options.report?.(`trust root ${root.version} adopted`);
  }
  if (options.acceptClock === true && options.dryRun !== true) {
    await folder.note('the clock was overridden for an import', new Date(options.now()).toISOString());
  }
  const bundle = await verifyBundle(medium, root, state, {
    now: options.now(),
    acceptClock: options.acceptClock ?? false,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  return [state, bundle];
}

/** A delta is worth nothing where the site lost what it builds on: that is known before the first write. */
async function proveAssumed(
  assumed: readonly BundleBlob[],
  { repository }: ImportTarget,
  proven: ProvenParts,
  { signal }: ImportOptions,
): Promise<void> {
  const lost: BundleBlob[] = [];
  await inParallel(assumed, async (blob) => {
    const store = repository(blob.repo);
    const descriptor = { mediaType: 'application/octet-stream', digest: blob.digest, size: blob.size };
    if (await store.proveBlob(descriptor, signal)) proven.add(store, blob.digest);
    else if ((await store.resolve(blob.digest, signal)) === undefined) lost.push(blob);
  });
  const [first] = lost;
  if (first === undefined) return;
  throw new Failure('BaseMissing', {
    subject: first.digest,
    detail: `the registry lost ${lost.length} parts of the base; stage a full bundle`,
  });
}

async function pushAll(
  target: ImportTarget,
  bundle: VerifiedBundle,
  proven: ProvenParts,
  options: ImportOptions,
): Promise<number> {
  const { statement } = bundle;
  const lanes = new Slots(options.lanes ?? 4);
  const context: CopyContext = {
    flights: new SingleFlight(),
    proven,
    manifests: new ManifestCache(),
    guesses: await newRepositories(target, statement, options),
    limit: (task) => lanes.run(task, options.signal),
  };
  const sources = bundleSources(target.medium, statement, target.repository);
  const mountFrom = [...new Set(statement.assumed.map(({ repo }) => repo))];
  let bytesMoved = 0;
  const push = async (image: BundleImage): Promise<void> => {
    const from = { source: sources(image.repo), mountFrom };
    const moved = await pushImage(target, from, image, context, options);
    bytesMoved += moved;
    options.report?.(`${image.repo}:${image.tag} ${image.digest}`);
  };
  // Signatures under tags of their own come before the images they sign.
  await inParallel(statement.images.filter(isAttachment), push, imagesAtOnce);
  await inParallel(
    statement.images.filter((image) => !isAttachment(image)),
    push,
    imagesAtOnce,
  );
  return bytesMoved;
}

/** A repository that has no tags yet lacks most of what comes: there are fewer questions to ask. */
async function newRepositories(
  { repository }: ImportTarget,
  { images }: BundleStatement,
  { signal }: ImportOptions,
): Promise<BlobGuesses> {
  const guesses = new BlobGuesses();
  const byRepo = Map.groupBy(images, ({ repo }) => repo);
  const worthAsking = [...byRepo].filter(([, { length }]) => length >= imagesWorthAList);
  await inParallel(worthAsking, async ([repo]) => {
    const store = repository(repo);
    // Who cannot tell is asked blob by blob.
    const tags = await store.listTags?.(signal).catch(() => undefined);
    if (tags?.length === 0) guesses.isNew(store);
  });
  return guesses;
}

const isAttachment = ({ tag }: BundleImage): boolean => /^sha256-[0-9a-f]{64}/.test(tag);

async function pushImage(
  { repository }: ImportTarget,
  from: { readonly source: ContentSource; readonly mountFrom: readonly RepositoryPath[] },
  image: BundleImage,
  context: CopyContext,
  { signal, memory }: ImportOptions,
): Promise<number> {
  const mountFrom = from.mountFrom.filter((repo) => repo !== image.repo);
  const report = await copyImage(from.source, repository(image.repo), image, context, {
    tag: image.tag,
    recheck: true,
    mountFrom: mountFrom.slice(0, 4),
    ...(signal === undefined ? {} : { signal }),
    ...(memory === undefined ? {} : { memory }),
  });
  if (report.referrersMissing === 0) return report.bytesMoved;
  throw new Failure('ReferrersIncomplete', {
    side: 'destination',
    subject: `${image.repo}:${image.tag}`,
  });
}

async function writeReceipt(
  folder: SiteFolder,
  { statement, digest }: VerifiedBundle,
  options: ImportOptions,
): Promise<string> {
  const receipt: Receipt = {
    site: statement.site,
    sequence: statement.sequence,
    bundleDigest: digest,
    completedAt: new Date(options.now()).toISOString(),
    images: statement.images.map(({ repo, tag, digest: image }) => ({ repo, tag, digest: image })),
    clockOverridden: options.acceptClock ?? false,
    ...(options.usage === undefined ? {} : { usage: options.usage }),
  };
  const signer = await folder.receiptSigner();
  return folder.writeReceipt(
    statement.sequence,
    signEnvelope(statementPayloadType, printReceipt(receipt), [signer]),
  );
}
