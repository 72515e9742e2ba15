import type { Digest } from '../names/digest.ts';
import type { SiteName } from '../names/kubernetes-name.ts';
import type { RepositoryPath } from '../names/repository-path.ts';
import type { TagName } from '../names/tag.ts';
import { utf8 } from '../trust/bytes.ts';

/** DSSE payload type of every statement (in-toto attestation framework, spec/v1/envelope.md). */
export const statementPayloadType = 'application/vnd.in-toto+json';
/** Predicate type of a bundle's manifest. */
export const bundlePredicateType = 'https://image.theriseunion.io/bundle/v1';
/** Type of an in-toto statement. */
export const statementType = 'https://in-toto.io/Statement/v1';

/** One tag at the site, pinned to a digest when the bundle was planned. */
export interface BundleImage {
  /** Path at the site's registry, prefix included. */
  readonly repo: RepositoryPath;
  readonly tag: TagName;
  readonly digest: Digest;
  readonly mediaType: string;
  readonly size: number;
}

/** A signature or other manifest whose subject is one of the images or their parts; it has no tag of its own. */
export interface BundleReferrer {
  readonly repo: RepositoryPath;
  readonly digest: Digest;
  readonly mediaType: string;
  readonly size: number;
}

/** A blob or manifest, and a repository at the site that has it or gets it. */
export interface BundleBlob {
  readonly digest: Digest;
  readonly size: number;
  readonly repo: RepositoryPath;
}

/** What a bundle's signed manifest says. */
export interface BundleStatement {
  readonly site: SiteName;
  /** From 1; every bundle of a site has its own. */
  readonly sequence: number;
  /** The bundle staged before it, imported or not; 0 and undefined for the first. */
  readonly prevSequence: number;
  readonly prevManifestDigest?: Digest;
  /** RFC 3339 UTC. */
  readonly createdAt: string;
  /** RFC 3339 UTC, after which no site takes it any more. */
  readonly expires: string;
  /** The acknowledged bundle that `assumed` relies on; undefined where the bundle is full. */
  readonly base?: { readonly sequence: number; readonly digest: Digest };
  /** Digest of the inventory's payload that `assumed` relies on instead of a base. Default: none. */
  readonly inventory?: Digest;
  /** Everything the site should have, sorted by repository and tag. */
  readonly images: readonly BundleImage[];
  /** Sorted by repository and digest. */
  readonly referrers: readonly BundleReferrer[];
  /** What the bundle carries, sorted by digest. */
  readonly blobs: readonly BundleBlob[];
  /** What the site has from its base or by its inventory, sorted by digest. */
  readonly assumed: readonly BundleBlob[];
  /** Sum of the carried blobs' sizes. */
  readonly totalBytes: number;
  /** Digests of `roots/root.<version>.json`, oldest first. */
  readonly roots: readonly { readonly version: number; readonly digest: Digest }[];
  /** Digest of the layout's `index.json`. */
  readonly indexDigest: Digest;
}

/** The one spelling of a statement: what is signed, and what its digest is taken of. */
export function printStatement(statement: BundleStatement): Uint8Array {
  return utf8(
    JSON.stringify({
      _type: statementType,
      subject: [{ name: 'index.json', digest: { sha256: statement.indexDigest.slice('sha256:'.length) } }],
      predicateType: bundlePredicateType,
      predicate: predicateOf(statement),
    }),
  );
}

function predicateOf(statement: BundleStatement): object {
  const { base, inventory } = statement;
  return {
    // What knows only format 1 must not take a bundle whose base it does not see.
    bundleFormat: inventory === undefined ? 1 : 2,
    site: statement.site,
    audience: statement.site,
    sequence: statement.sequence,
    prevSequence: statement.prevSequence,
    prevManifestDigest: statement.prevManifestDigest ?? '',
    createdAt: statement.createdAt,
    expires: statement.expires,
    baseSequence: base?.sequence ?? 0,
    baseManifestDigest: base?.digest ?? '',
    ...(inventory === undefined ? {} : { inventoryDigest: inventory }),
    images: statement.images.map(({ repo, tag, digest, mediaType, size }) => ({
      repo,
      tag,
      digest,
      mediaType,
      size,
    })),
    referrers: statement.referrers.map(({ repo, digest, mediaType, size }) => ({
      repo,
      digest,
      mediaType,
      size,
    })),
    blobs: statement.blobs.map(printBlob),
    assumed: statement.assumed.map(printBlob),
    totalBytes: statement.totalBytes,
    roots: statement.roots.map(({ version, digest }) => ({ version, digest })),
  };
}

const printBlob = ({ digest, size, repo }: BundleBlob): BundleBlob => ({ digest, size, repo });
