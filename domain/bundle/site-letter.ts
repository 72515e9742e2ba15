import { asFailure } from '../failure.ts';
import type { SiteName } from '../names/kubernetes-name.ts';
import { parseEnvelope, type VerifySignature } from '../trust/envelope.ts';
import type { PublicKey } from '../trust/public-key.ts';
import type { SiteUsage } from '../usage/site-usage.ts';
import { openInventory, parseInventory } from './inventory.ts';
import { claimedSite, openReceipt } from './receipt.ts';

/** What a site sends back, unverified: only good for finding the key to verify it with. */
export interface SiteLetter {
  readonly kind: 'receipt' | 'inventory';
  readonly site: SiteName;
}

/** Tells what a file of a site is. Throws `WrongPredicate` for neither, and what its parser throws. */
export function readSiteLetter(bytes: Uint8Array): SiteLetter {
  try {
    return { kind: 'receipt', site: claimedSite(bytes) };
  } catch (error) {
    if (asFailure(error).code !== 'WrongPredicate') throw error;
    return { kind: 'inventory', site: parseInventory(parseEnvelope(bytes)).site };
  }
}

/** What a site's letter tells of its usage, verified under its key. Throws what {@link openReceipt} throws. */
export function openSiteUsage(
  bytes: Uint8Array,
  key: PublicKey,
  verify: VerifySignature,
): { readonly site: SiteName; readonly usage?: SiteUsage } {
  const open = readSiteLetter(bytes).kind === 'receipt' ? openReceipt : openInventory;
  return open(bytes, key, verify);
}
