import { Failure } from '../failure.ts';
import type { JsonValue } from '../image/strict-json.ts';
import type { Digest } from '../names/digest.ts';
import { parseSiteName, type SiteName } from '../names/kubernetes-name.ts';
import { parseRepositoryPath, type RepositoryPath } from '../names/repository-path.ts';
import { parseTag, type TagName } from '../names/tag.ts';
import { sameBytes, utf8 } from '../trust/bytes.ts';
import { parseEnvelope, requireThreshold, type Envelope, type VerifySignature } from '../trust/envelope.ts';
import type { PublicKey } from '../trust/public-key.ts';
import { SignedFields } from '../trust/signed-fields.ts';
import { parseSiteUsage, type SiteUsage } from '../usage/site-usage.ts';
import { bundleCaps } from './caps.ts';
import { openStatement } from './parse-statement.ts';
import type { BundleMark } from './site-state.ts';
import { statementType } from './statement.ts';

/** Predicate type of a receipt. */
export const receiptPredicateType = 'https://image.theriseunion.io/receipt/v1';

/** One tag that was read back at the site. */
export interface ReceiptImage {
  readonly repo: RepositoryPath;
  readonly tag: TagName;
  readonly digest: Digest;
}

/** A site's word that a bundle arrived, signed with the site's own key. */
export interface Receipt {
  readonly site: SiteName;
  readonly sequence: number;
  /** Digest of the bundle's statement. */
  readonly bundleDigest: Digest;
  /** RFC 3339 UTC by the site's clock. */
  readonly completedAt: string;
  readonly images: readonly ReceiptImage[];
  /** Whether a person overrode the site's clock during the import. */
  readonly clockOverridden: boolean;
  /** What the site's Pods used. Default: not told. */
  readonly usage?: SiteUsage;
}

/** The one spelling of a receipt: what is signed. Its format is 1, or 2 where it tells the usage. */
export function printReceipt(receipt: Receipt): Uint8Array {
  return utf8(
    JSON.stringify({
      _type: statementType,
      subject: [
        {
          name: `bundle-${receipt.sequence}`,
          digest: { sha256: receipt.bundleDigest.slice('sha256:'.length) },
        },
      ],
      predicateType: receiptPredicateType,
      predicate: {
        receiptFormat: receipt.usage === undefined ? 1 : 2,
        site: receipt.site,
        sequence: receipt.sequence,
        completedAt: receipt.completedAt,
        images: receipt.images.map(({ repo, tag, digest }) => ({ repo, tag, digest })),
        clockOverridden: receipt.clockOverridden,
        ...(receipt.usage === undefined ? {} : { usage: receipt.usage }),
      },
    }),
  );
}

/** Verifies a receipt file against the key pinned for its site and reads it. Throws `SignatureInvalid`, `WrongPredicate` or `BundleCorrupt`. */
export function openReceipt(bytes: Uint8Array, key: PublicKey, verify: VerifySignature): Receipt {
  const envelope = parseEnvelope(bytes);
  requireThreshold(envelope, { keys: [key], threshold: 1 }, verify);
  return parseReceipt(envelope);
}

/** The site that a receipt claims to come from, unverified: only good for finding the key to verify it with. */
export function claimedSite(bytes: Uint8Array): SiteName {
  return parseReceipt(parseEnvelope(bytes)).site;
}

function parseReceipt(envelope: Envelope): Receipt {
  const { value, subject } = openStatement(envelope, receiptPredicateType);
  const names = ['receiptFormat', 'site', 'sequence', 'completedAt', 'images', 'clockOverridden', 'usage'];
  const fields = new SignedFields(value, 'predicate', names, refuse);
  if (fields.count('receiptFormat', 1) > 2) refuse('its format is newer than this program');
  const receipt: Receipt = {
    site: parseSiteName(fields.text('site')),
    sequence: fields.count('sequence', 1),
    bundleDigest: subject,
    completedAt: fields.time('completedAt'),
    images: fields.list('images', bundleCaps.images).map(parseImage),
    clockOverridden: fields.flag('clockOverridden'),
    ...(fields.has('usage') ? { usage: parseSiteUsage(fields.raw('usage'), refuse) } : {}),
  };
  if (!sameBytes(printReceipt(receipt), envelope.payload)) refuse('it is not in its canonical form');
  return receipt;
}

function parseImage(value: JsonValue): ReceiptImage {
  const fields = new SignedFields(value, 'image', ['repo', 'tag', 'digest'], refuse);
  return {
    repo: parseRepositoryPath(fields.text('repo')),
    tag: parseTag(fields.text('tag')),
    digest: fields.digest('digest'),
  };
}

/** `advance`: the base moves to this bundle. `repeat`: it is the base already. `stale`: a later one is. */
export type ReceiptVerdict = 'advance' | 'repeat' | 'stale';

/**
 * Decides what a verified receipt changes. `staged` is the bundle that was staged under its sequence. Throws
 * `WrongAudience` for another site's receipt, `BundleNotFound` for a bundle never staged, `Equivocation` for another digest.
 */
export function judgeReceipt(
  receipt: Receipt,
  site: SiteName,
  staged: BundleMark | undefined,
  acknowledged: BundleMark | undefined,
): ReceiptVerdict {
  if (receipt.site !== site)
    throw new Failure('WrongAudience', { detail: `the receipt is of ${receipt.site}` });
  const subject = `${site}/${receipt.sequence}`;
  if (staged === undefined || staged.sequence !== receipt.sequence) {
    throw new Failure('BundleNotFound', { subject });
  }
  if (staged.digest !== receipt.bundleDigest) throw new Failure('Equivocation', { subject });
  if (acknowledged === undefined || acknowledged.sequence < receipt.sequence) return 'advance';
  return acknowledged.sequence === receipt.sequence ? 'repeat' : 'stale';
}

function refuse(detail: string): never {
  throw new Failure('BundleCorrupt', { detail: `receipt: ${detail}` });
}
