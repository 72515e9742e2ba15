import type { AcknowledgedBase, InventoryBase } from '../../domain/bundle/delta.ts';
import { parseInventory } from '../../domain/bundle/inventory.ts';
import { parseStatement } from '../../domain/bundle/parse-statement.ts';
import type { BundleMark } from '../../domain/bundle/site-state.ts';
import type { StagePlan } from '../../domain/bundle/stage-plan.ts';
import { Failure } from '../../domain/failure.ts';
import type { Digest } from '../../domain/names/digest.ts';
import type { SiteName } from '../../domain/names/kubernetes-name.ts';
import { parseEnvelope } from '../../domain/trust/envelope.ts';
import type { BundleShelf } from '../storage/bundle-shelf.ts';
import { sha256 } from '../trust/ed25519.ts';

/**
 * What a site is known to have: by the bundle it acknowledged, or by its inventory. Undefined, so that everything is
 * carried, for a full bundle and where nothing is known.
 */
export async function knownContent(
  shelf: BundleShelf,
  { kind, site, base, inventory }: StagePlan,
): Promise<AcknowledgedBase | InventoryBase | undefined> {
  if (kind === 'full') return undefined;
  return inventory === undefined ? acknowledged(shelf, site, base) : told(shelf, site, inventory);
}

async function acknowledged(
  shelf: BundleShelf,
  site: SiteName,
  mark: BundleMark | undefined,
): Promise<AcknowledgedBase | undefined> {
  const bytes = mark === undefined ? undefined : await shelf.manifest(site, mark.sequence);
  if (bytes === undefined || mark === undefined) return undefined;
  const envelope = parseEnvelope(bytes);
  // The cluster keeps the digest that the site's receipt named: a changed manifest in the bucket is no base.
  if (sha256(envelope.payload) !== mark.digest) {
    throw new Failure('Equivocation', { side: 'storage', subject: `${site}/${mark.sequence}` });
  }
  const { blobs, assumed } = parseStatement(envelope);
  return { ...mark, content: [...blobs, ...assumed] };
}

async function told(shelf: BundleShelf, site: SiteName, inventory: Digest): Promise<InventoryBase> {
  const bytes = await shelf.inventory(site, inventory);
  if (bytes === undefined) throw new Failure('BaseMissing', { side: 'storage', subject: inventory });
  const envelope = parseEnvelope(bytes);
  // The cluster keeps the digest of what was verified when it came in.
  if (sha256(envelope.payload) !== inventory) {
    throw new Failure('DigestMismatch', { side: 'storage', subject: inventory });
  }
  return { inventory, content: parseInventory(envelope).content };
}
