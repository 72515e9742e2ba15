import { Failure } from '../failure.ts';
import { parseStrictJson, type JsonValue } from '../image/strict-json.ts';
import { parseDigest, type Digest } from '../names/digest.ts';
import { parseSiteName } from '../names/kubernetes-name.ts';
import { parseRepositoryPath } from '../names/repository-path.ts';
import { parseTag } from '../names/tag.ts';
import { sameBytes } from '../trust/bytes.ts';
import type { Envelope } from '../trust/envelope.ts';
import { SignedFields } from '../trust/signed-fields.ts';
import { bundleCaps } from './caps.ts';
import {
  bundlePredicateType,
  printStatement,
  statementPayloadType,
  statementType,
  type BundleBlob,
  type BundleImage,
  type BundleReferrer,
  type BundleStatement,
} from './statement.ts';

const predicateFields =
  'bundleFormat site audience sequence prevSequence prevManifestDigest createdAt expires baseSequence baseManifestDigest inventoryDigest images referrers blobs assumed totalBytes roots'.split(
    ' ',
  );

/**
 * Reads the statement out of an envelope whose signatures have been verified. Throws `WrongPredicate` where it is of
 * another kind or format, `BundleTooLarge` beyond a cap, `BundleCorrupt` where it contradicts itself.
 */
export function parseStatement(envelope: Envelope): BundleStatement {
  const predicate = openStatement(envelope, bundlePredicateType);
  const fields = new SignedFields(predicate.value, 'predicate', predicateFields, refuse);
  if (fields.count('bundleFormat', 1) > 2) wrongKind('the bundle format is newer than this program');
  const statement: BundleStatement = {
    ...identityOf(fields),
    images: capped(fields, 'images', bundleCaps.images).map(parseImage),
    referrers: capped(fields, 'referrers', bundleCaps.images).map(parseReferrer),
    blobs: capped(fields, 'blobs', bundleCaps.blobs).map(parseBlob),
    assumed: capped(fields, 'assumed', bundleCaps.blobs).map(parseBlob),
    totalBytes: fields.count('totalBytes', 0),
    roots: capped(fields, 'roots', bundleCaps.roots).map(parseRootEntry),
    indexDigest: predicate.subject,
  };
  if (statement.totalBytes > bundleCaps.totalBytes) tooLarge('totalBytes');
  if (!sameBytes(printStatement(statement), envelope.payload)) refuse('it is not in its canonical form');
  refuseContradictions(statement);
  return statement;
}

/** Opens an in-toto statement of the given predicate type. Shared with receipts. Throws `WrongPredicate`. */
export function openStatement(
  envelope: Envelope,
  predicateType: string,
): { readonly value: JsonValue | undefined; readonly subject: Digest } {
  if (envelope.payloadType !== statementPayloadType) wrongKind('the payload is not an in-toto statement');
  const json = parseStrictJson(envelope.payload, { code: 'BundleCorrupt', maxDepth: 8 });
  const fields = new SignedFields(
    json,
    'statement',
    ['_type', 'subject', 'predicateType', 'predicate'],
    wrongKind,
  );
  if (fields.text('_type') !== statementType) wrongKind('the statement is of another type');
  if (fields.text('predicateType') !== predicateType) wrongKind('the predicate is of another type');
  const subject = new SignedFields(fields.list('subject', 1)[0], 'subject', ['name', 'digest'], wrongKind);
  const digest = new SignedFields(subject.raw('digest'), 'subject.digest', ['sha256'], wrongKind);
  return { value: fields.raw('predicate'), subject: parseDigest(`sha256:${digest.text('sha256')}`) };
}

type Identity = Omit<
  BundleStatement,
  'images' | 'referrers' | 'blobs' | 'assumed' | 'totalBytes' | 'roots' | 'indexDigest'
>;

function identityOf(fields: SignedFields): Identity {
  if (fields.text('audience') !== fields.text('site')) refuse('site and audience differ');
  const [prevSequence, baseSequence] = [fields.count('prevSequence', 0), fields.count('baseSequence', 0)];
  return {
    site: parseSiteName(fields.text('site')),
    sequence: fields.count('sequence', 1),
    prevSequence,
    ...(prevSequence === 0 ? {} : { prevManifestDigest: fields.digest('prevManifestDigest') }),
    createdAt: fields.time('createdAt'),
    expires: fields.time('expires'),
    ...(baseSequence === 0
      ? {}
      : { base: { sequence: baseSequence, digest: fields.digest('baseManifestDigest') } }),
    ...(fields.has('inventoryDigest') ? { inventory: fields.digest('inventoryDigest') } : {}),
  };
}

function parseImage(value: JsonValue): BundleImage {
  const names = ['repo', 'tag', 'digest', 'mediaType', 'size'];
  const fields = new SignedFields(value, 'image', names, refuse);
  return { ...parseDescribed(fields), tag: parseTag(fields.text('tag')) };
}

function parseReferrer(value: JsonValue): BundleReferrer {
  return parseDescribed(new SignedFields(value, 'referrer', ['repo', 'digest', 'mediaType', 'size'], refuse));
}

function parseDescribed(fields: SignedFields): BundleReferrer {
  return { ...blobOf(fields), mediaType: fields.text('mediaType') };
}

function parseBlob(value: JsonValue): BundleBlob {
  return blobOf(new SignedFields(value, 'blob', ['digest', 'size', 'repo'], refuse));
}

function blobOf(fields: SignedFields): BundleBlob {
  return {
    digest: fields.digest('digest'),
    size: fields.count('size', 0),
    repo: parseRepositoryPath(fields.text('repo')),
  };
}

function parseRootEntry(value: JsonValue): BundleStatement['roots'][number] {
  const fields = new SignedFields(value, 'root', ['version', 'digest'], refuse);
  return { version: fields.count('version', 1), digest: fields.digest('digest') };
}

function capped(fields: SignedFields, name: string, most: number): readonly JsonValue[] {
  const list = fields.list(name, Number.POSITIVE_INFINITY);
  return list.length <= most ? list : tooLarge(name);
}

function refuseContradictions(statement: BundleStatement): void {
  const { blobs, assumed } = statement;
  const total = blobs.reduce((sum, blob) => sum + blob.size, 0);
  if (total !== statement.totalBytes) refuse('totalBytes is not the sum of the blobs');
  if (!isSorted(blobs.map(({ digest }) => digest))) refuse('the blobs are not in order');
  if (!isSorted(assumed.map(({ digest }) => digest))) refuse('the assumed blobs are not in order');
  if (!isSorted(statement.images.map(({ repo, tag }) => `${repo}:${tag}`)))
    refuse('the images are not in order');
  if (!isSorted(statement.referrers.map(({ repo, digest }) => `${repo}@${digest}`))) {
    refuse('the referrers are not in order');
  }
  const carried = new Set(blobs.map(({ digest }) => digest));
  if (assumed.some(({ digest }) => carried.has(digest))) refuse('a blob is both carried and assumed');
  refuseWrongBase(statement);
  if (statement.prevSequence >= statement.sequence) refuse('its predecessor is not older');
  if (!(Date.parse(statement.createdAt) < Date.parse(statement.expires)))
    refuse('it expires before it is made');
  const known = new Set([...carried, ...assumed.map(({ digest }) => digest)]);
  const roots = [...statement.images, ...statement.referrers];
  if (!roots.every(({ digest }) => known.has(digest))) refuse('an image is neither carried nor assumed');
}

function refuseWrongBase({ sequence, assumed, base, inventory }: BundleStatement): void {
  if (base !== undefined && inventory !== undefined) refuse('it has a base and an inventory');
  if ((base ?? inventory) === undefined && assumed.length > 0) refuse('a full bundle assumes nothing');
  if (base !== undefined && base.sequence >= sequence) refuse('its base is not older');
}

/** Strictly ascending by UTF-16 code units, so that nothing comes twice. */
function isSorted(texts: readonly string[]): boolean {
  return texts.every((text, index) => index === 0 || (texts[index - 1] ?? '') < text);
}

function refuse(detail: string): never {
  throw new Failure('BundleCorrupt', { detail: `signed manifest: ${detail}` });
}

function tooLarge(what: string): never {
  throw new Failure('BundleTooLarge', { detail: `signed manifest: ${what}` });
}

function wrongKind(detail: string): never {
  throw new Failure('WrongPredicate', { detail });
}
