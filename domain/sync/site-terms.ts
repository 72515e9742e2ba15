import type { EdgeSite, EdgeSiteSpec } from '../resources/edge-site.ts';
import type { Bytes, CopyPosition } from './progress.ts';

/** How fast and when a site may be filled, as one version of its EdgeSite says. For a site's own worker, which cannot read it. */
export interface SiteTerms extends Pick<EdgeSiteSpec, 'bandwidth' | 'syncWindow'> {
  readonly site: string;
  /** RFC 3339: when the EdgeSite was made. One that was deleted and made anew counts its generations from 1 again. */
  readonly since: string;
  readonly generation: number;
}

/** What a copy of a site's own worker says with its heartbeat. */
export interface SiteBeat extends Bytes {
  readonly site: string;
  /** Of the Repository that the copy is for. */
  readonly uid: string;
  readonly position: CopyPosition;
  /** What it goes by. */
  readonly terms: SiteTerms;
}

/** Signal by which a running sync is told of an edited EdgeSite; its argument is the {@link SiteTerms}. */
export const siteTermsSignal = 'siteTerms';
/** Memo of a run: the newest terms that it was told, by site. The site's worker reads it. */
export const siteTermsMemo = 'siteTerms';

/** What an EdgeSite says by now. */
export function termsOf({ metadata, spec }: EdgeSite): SiteTerms {
  const { bandwidth, syncWindow } = spec;
  return {
    site: metadata.name,
    since: metadata.creationTimestamp ?? '',
    generation: metadata.generation ?? 0,
    ...(bandwidth === undefined ? {} : { bandwidth }),
    ...(syncWindow === undefined ? {} : { syncWindow }),
  };
}

/** Whether `terms` were said after `known`. */
export function isNewer(terms: SiteTerms, known: SiteTerms): boolean {
  if (terms.since > known.since) return true;
  return terms.since === known.since && terms.generation > known.generation;
}

/** Whether a copy that goes by `known` has to hear of `terms`: an edit of a location is no news to it. */
export function isNews(terms: SiteTerms, known: SiteTerms): boolean {
  return isNewer(terms, known) && limitsText(terms) !== limitsText(known);
}

const limitsText = ({ bandwidth, syncWindow }: SiteTerms): string =>
  JSON.stringify([
    bandwidth,
    syncWindow?.timeZone,
    syncWindow?.periods.map(({ days, from, to }) => [days, from, to]),
  ]);
