import { Failure } from '../failure.ts';
import type { JsonValue } from '../image/strict-json.ts';
import type { Digest } from '../names/digest.ts';
import { parseSiteName, type SiteName } from '../names/kubernetes-name.ts';
import { parseRepositoryPath, type RepositoryPath } from '../names/repository-path.ts';
import { sameBytes, utf8 } from '../trust/bytes.ts';
import { parseEnvelope, requireThreshold, type Envelope, type VerifySignature } from '../trust/envelope.ts';
import type { PublicKey } from '../trust/public-key.ts';
import { SignedFields } from '../trust/signed-fields.ts';
import { parseSiteUsage, type SiteUsage } from '../usage/site-usage.ts';
import { bundleCaps } from './caps.ts';
import { openStatement } from './parse-statement.ts';
import { statementType, type BundleBlob } from './statement.ts';

/** Predicate type of an inventory. */
export const inventoryPredicateType = 'https://image.theriseunion.io/inventory/v1';

/** What a site's registry had when it was looked through, signed with the site's own key. */
export interface Inventory {
  readonly site: SiteName;
  /** RFC 3339 UTC by the site's clock. */
  readonly takenAt: string;
  /** Digest of {@link printContent}. */
  readonly contentDigest: Digest;
  /** Blobs and manifests, each proven to be readable; by repository and digest, each digest once. */
  readonly content: readonly BundleBlob[];
  /** What the site's Pods used. Default: not told. */
  readonly usage?: SiteUsage;
}

/** The content in its one order: by repository, then digest; a digest that is in several repositories counts in the first. */
export function sortedContent(content: readonly BundleBlob[]): readonly BundleBlob[] {
  const inOrder = content.toSorted((one, other) =>
    one.repo === other.repo ? compare(one.digest, other.digest) : compare(one.repo, other.repo),
  );
  const first = new Map<Digest, BundleBlob>();
  for (const blob of inOrder) if (!first.has(blob.digest)) first.set(blob.digest, blob);
  return [...first.values()];
}

/** The bytes that the content's digest is taken of. */
export function printContent(content: readonly BundleBlob[]): Uint8Array {
  return utf8(JSON.stringify(repositoriesOf(content)));
}

/** The one spelling of an inventory: what is signed. Its format is 1, or 2 where it tells the usage. */
export function printInventory({ site, takenAt, content, contentDigest, usage }: Inventory): Uint8Array {
  const inventoryFormat = usage === undefined ? 1 : 2;
  const told = usage === undefined ? {} : { usage };
  return utf8(
    JSON.stringify({
      _type: statementType,
      subject: [{ name: 'content', digest: { sha256: contentDigest.slice('sha256:'.length) } }],
      predicateType: inventoryPredicateType,
      predicate: { inventoryFormat, site, takenAt, repositories: repositoriesOf(content), ...told },
    }),
  );
}

/** Verifies an inventory file against the key pinned for its site and reads it. Throws `SignatureInvalid`, `WrongPredicate` or `BundleCorrupt`. */
export function openInventory(bytes: Uint8Array, key: PublicKey, verify: VerifySignature): Inventory {
  const envelope = parseEnvelope(bytes);
  requireThreshold(envelope, { keys: [key], threshold: 1 }, verify);
  return parseInventory(envelope);
}

/** Reads an inventory whose signature was verified when it came in. */
export function parseInventory(envelope: Envelope): Inventory {
  const { value, subject } = openStatement(envelope, inventoryPredicateType);
  const names = ['inventoryFormat', 'site', 'takenAt', 'repositories', 'usage'];
  const fields = new SignedFields(value, 'predicate', names, refuse);
  if (fields.count('inventoryFormat', 1) > 2) refuse('its format is newer than this program');
  const inventory: Inventory = {
    site: parseSiteName(fields.text('site')),
    takenAt: fields.time('takenAt'),
    contentDigest: subject,
    content: fields.list('repositories', bundleCaps.images).flatMap(parseRepository),
    ...(fields.has('usage') ? { usage: parseSiteUsage(fields.raw('usage'), refuse) } : {}),
  };
  if (inventory.content.length > bundleCaps.blobs) {
    throw new Failure('BundleTooLarge', { detail: `inventory: more than ${bundleCaps.blobs} parts` });
  }
  if (!sameBytes(printInventory(inventory), envelope.payload)) refuse('it is not in its canonical form');
  if (!sameBytes(printContent(inventory.content), printContent(sortedContent(inventory.content)))) {
    refuse('its content is not in order');
  }
  return inventory;
}

function parseRepository(value: JsonValue): readonly BundleBlob[] {
  const fields = new SignedFields(value, 'repository', ['repo', 'blobs'], refuse);
  const repo = parseRepositoryPath(fields.text('repo'));
  return fields.list('blobs', bundleCaps.blobs).map((each) => {
    const blob = new SignedFields(each, 'blob', ['digest', 'size'], refuse);
    return { digest: blob.digest('digest'), size: blob.count('size', 0), repo };
  });
}

interface RepositoryContent {
  readonly repo: RepositoryPath;
  readonly blobs: readonly { readonly digest: Digest; readonly size: number }[];
}

function repositoriesOf(content: readonly BundleBlob[]): readonly RepositoryContent[] {
  return [...Map.groupBy(content, ({ repo }) => repo)].map(([repo, blobs]) => ({
    repo,
    blobs: blobs.map(({ digest, size }) => ({ digest, size })),
  }));
}

function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

function refuse(detail: string): never {
  throw new Failure('BundleCorrupt', { detail: `inventory: ${detail}` });
}
