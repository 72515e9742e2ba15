import type { ObjectRef } from '../resources/meta.ts';

/** What documents may be about. */
export interface DocumentOwners {
  readonly policies: readonly ObjectRef[];
  /** Names of all EdgeSites. */
  readonly sites: readonly string[];
  /** `spec.repository` of all Repositories. */
  readonly images: readonly string[];
}

/** Milliseconds that a document stays after what it is about is gone: 30 days. */
export const documentGraceMs = 30 * 86_400_000;

/** Whether a document with this key is about something that is there. One of a kind that is not known here always is. */
export function ownedBy(owners: DocumentOwners): (key: string) => boolean {
  const policies = new Set(owners.policies.map(({ namespace, name }) => `${namespace}/${name}`));
  const [sites, images] = [new Set(owners.sites), new Set(owners.images)];
  return (key) => {
    const [kind, rest] = atSlash(key);
    if (kind === 'plan') return policies.has(rest);
    const [place, image] = atSlash(rest);
    if (kind === 'ledger' || kind === 'retired' || kind === 'reads')
      return sites.has(place) && images.has(image);
    // Of a registry the path may have more in front than the Repository says.
    if (kind === 'dates') return owners.images.some((name) => `/${rest}`.endsWith(`/${name}`));
    return true;
  };
}

/** `since`: epoch milliseconds since when it is known to be about nothing. Default: it was not known. */
export function judgeDocument(
  isOwned: boolean,
  since: number | undefined,
  now: number,
): 'keep' | 'mark' | 'unmark' | 'remove' {
  if (isOwned) return since === undefined ? 'keep' : 'unmark';
  if (since === undefined) return 'mark';
  return now - since >= documentGraceMs ? 'remove' : 'keep';
}

function atSlash(text: string): readonly [before: string, after: string] {
  const at = text.indexOf('/');
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
