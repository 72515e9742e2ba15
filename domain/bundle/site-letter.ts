import { asFailure } from '../failure.ts';
import type { SiteName } from '../names/kubernetes-name.ts';
import { parseEnvelope } from '../trust/envelope.ts';
import { parseInventory } from './inventory.ts';
import { claimedSite } from './receipt.ts';

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
