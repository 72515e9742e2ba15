import { openSiteUsage } from '../../domain/bundle/site-letter.ts';
import { parseDuration } from '../../domain/duration.ts';
import { Failure } from '../../domain/failure.ts';
import { parseDigest } from '../../domain/names/digest.ts';
import { parseSiteName } from '../../domain/names/kubernetes-name.ts';
import { parsePublicKeyPem } from '../../domain/trust/public-key.ts';
import { usageTexts } from '../../domain/usage/site-usage.ts';
import type { SiteSpeaker } from '../kubernetes/usage-clusters.ts';
import type { BundleShelf } from '../storage/bundle-shelf.ts';
import { verifyEd25519 } from '../trust/ed25519.ts';

/**
 * Reads what an offline site told of its usage in its newest letter. The letter is verified at each look, so that nobody
 * who writes to the bucket can make an image look unused. Throws `UsageUnknown` where there is none, and what an
 * altered one is refused with.
 */
export function createToldUsage(shelf: Pick<BundleShelf, 'usage'>): SiteSpeaker {
  return async ({ metadata, spec, status }) => {
    const name = parseSiteName(metadata.name);
    const unknown = (detail: string): Failure =>
      new Failure('UsageUnknown', { side: 'cluster', subject: `site ${name}`, detail });
    const [told, pem] = [status?.usage, spec.bundle?.receiptKey];
    if (told === undefined) throw unknown('no receipt and no inventory told it');
    if (pem === undefined) throw unknown('spec.bundle.receiptKey is missing');
    const bytes = await shelf.usage(name, parseDigest(told.digest));
    if (bytes === undefined) throw unknown('the letter that told it is gone');
    const { site, usage } = openSiteUsage(bytes, parsePublicKeyPem(pem), verifyEd25519);
    if (site !== name || usage === undefined) throw unknown('the letter tells something else');
    return {
      texts: usageTexts(usage),
      observed: Math.min(Date.parse(told.observed), Date.parse(usage.observedAt)),
      maxAgeMs: parseDuration(spec.bundle?.usageMaxAge ?? '720h'),
    };
  };
}
