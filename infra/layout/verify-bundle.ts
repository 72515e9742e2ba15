import { createHash } from 'node:crypto';
import { acceptBundle, type Acceptance } from '../../domain/bundle/acceptance.ts';
import { bundleCaps } from '../../domain/bundle/caps.ts';
import {
  blobFile,
  checkFileSet,
  indexFile,
  layoutFile,
  manifestFile,
  rootFile,
} from '../../domain/bundle/file-set.ts';
import { layoutIndex, ociLayoutBytes } from '../../domain/bundle/layout-index.ts';
import { parseStatement } from '../../domain/bundle/parse-statement.ts';
import type { SiteState } from '../../domain/bundle/site-state.ts';
import type { BundleBlob, BundleStatement } from '../../domain/bundle/statement.ts';
import { Failure } from '../../domain/failure.ts';
import { digestHex, type Digest } from '../../domain/names/digest.ts';
import { sameBytes } from '../../domain/trust/bytes.ts';
import { maxEnvelopeBytes, parseEnvelope, requireThreshold } from '../../domain/trust/envelope.ts';
import { succeedRoot, type TrustRoot } from '../../domain/trust/trust-root.ts';
import { inParallel } from '../copy/in-parallel.ts';
import { sha256, verifyEd25519 } from '../trust/ed25519.ts';
import { readSmall, type BundleMedium } from './bundle-medium.ts';
import { HashCrew } from './hash-crew.ts';
import { readFilePart, type FilePart } from './read-file.ts';

const readsAtOnce = 4;

/** A signed manifest whose signatures are valid, read. */
export interface SignedStatement {
  readonly statement: BundleStatement;
  /** Of the statement's bytes. */
  readonly digest: Digest;
}

/** Reads and verifies a bundle's manifest: length, threshold of distinct keys, and only then what it says. */
export function openStatementFile(bytes: Uint8Array, root: TrustRoot): SignedStatement {
  const envelope = parseEnvelope(bytes);
  requireThreshold(envelope, root.bundle, verifyEd25519);
  return { statement: parseStatement(envelope), digest: sha256(envelope.payload) };
}

/** A root that a bundle brings, and its file. */
export interface CarriedRoot {
  readonly root: TrustRoot;
  readonly bytes: Uint8Array;
}

/** The successors of the trusted root that a bundle brings along, in order; each verified by the one before it. */
export async function carriedRoots(
  medium: BundleMedium,
  trusted: TrustRoot,
): Promise<readonly CarriedRoot[]> {
  const found: CarriedRoot[] = [];
  for (let last = trusted; ;) {
    const name = rootFile(last.version + 1);
    if (!medium.files.some((file) => file.name === name)) return found;
    const bytes = await readSmall(medium, name, bundleCaps.smallFileBytes);
    last = succeedRoot(last, bytes, verifyEd25519);
    found.push({ root: last, bytes });
  }
}

export interface VerifyOptions {
  /** The system clock, epoch milliseconds. */
  readonly now: number;
  /** A person vouches that the clock is wrong. Default: false. */
  readonly acceptClock?: boolean;
  readonly signal?: AbortSignal;
}

/** A bundle whose checks were passed. */
export interface VerifiedBundle extends SignedStatement {
  readonly acceptance: Acceptance;
}

/**
 * The eight checks in their order, before anything is written: signature, audience, expiry, sequence, base (the last
 * four in `domain/bundle/acceptance.ts`), file set, layout, bytes. Of a bundle that is committed already only the signed
 * list is looked at: whoever writes from it again calls `verifyContent` first.
 */
export async function verifyBundle(
  medium: BundleMedium,
  root: TrustRoot,
  state: SiteState,
  options: VerifyOptions,
): Promise<VerifiedBundle> {
  const signed = openStatementFile(await readSmall(medium, manifestFile, maxEnvelopeBytes), root);
  const acceptance = acceptBundle({
    ...signed,
    state,
    now: options.now,
    acceptClock: options.acceptClock ?? false,
  });
  if (acceptance !== 'replay') await verifyContent(medium, signed.statement, options);
  return { ...signed, acceptance };
}

/** The last three checks: file set, layout, every byte. */
export async function verifyContent(
  medium: BundleMedium,
  statement: BundleStatement,
  options: Pick<VerifyOptions, 'signal'>,
): Promise<void> {
  checkFileSet(statement, medium.files);
  await checkLayout(medium, statement);
  await checkBytes(medium, statement.blobs, options.signal);
}

/** `index.json`, `oci-layout` and the roots follow from the signed lists; anything else is a conflict. */
async function checkLayout(medium: BundleMedium, statement: BundleStatement): Promise<void> {
  const expected = layoutIndex(statement.images, statement.referrers);
  const index = await readSmall(medium, indexFile, bundleCaps.smallFileBytes);
  const layout = await readSmall(medium, layoutFile, bundleCaps.smallFileBytes);
  if (!sameBytes(index, expected) || sha256(index) !== statement.indexDigest) {
    throw new Failure('LayoutInvalid', { detail: 'index.json says something else than the signed list' });
  }
  if (!sameBytes(layout, ociLayoutBytes)) throw new Failure('LayoutInvalid', { detail: 'oci-layout' });
  for (const { version, digest } of statement.roots) {
    const bytes = await readSmall(medium, rootFile(version), bundleCaps.smallFileBytes);
    if (sha256(bytes) !== digest) throw new Failure('BundleCorrupt', { subject: rootFile(version) });
  }
}

/** On all cores where there is much; the large ones first, so that no thread is left with one at the end. */
async function checkBytes(
  medium: BundleMedium,
  blobs: readonly BundleBlob[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const bytes = blobs.reduce((sum, { size }) => sum + size, 0);
  const largestFirst = blobs.toSorted((one, other) => other.size - one.size);
  const crew = HashCrew.for(bytes);
  try {
    await inParallel(
      largestFirst,
      (blob) => checkBlob(medium, blob, crew, signal),
      crew?.size ?? readsAtOnce,
    );
  } finally {
    await crew?.close();
  }
}

async function checkBlob(
  medium: BundleMedium,
  blob: BundleBlob,
  crew: HashCrew | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { hex, size } = await medium.withFile(blobFile(blob), (part) =>
    crew === undefined ? hashHere(part, signal) : crew.hash(part, signal),
  );
  if (size !== blob.size || hex !== digestHex(blob.digest)) {
    throw new Failure('BundleCorrupt', { subject: blob.digest });
  }
}

async function hashHere(
  part: FilePart,
  signal?: AbortSignal,
): Promise<{ readonly hex: string; readonly size: number }> {
  const hash = createHash('sha256');
  let size = 0;
  const sink = (chunk: Uint8Array): undefined => {
    hash.update(chunk);
    size += chunk.byteLength;
    return undefined;
  };
  await readFilePart(part, sink, signal);
  return { hex: hash.digest('hex'), size };
}
