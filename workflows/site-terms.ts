import { defineSignal, patched, setHandler, upsertMemo } from '@temporalio/workflow';
import { siteTermsMemo, siteTermsSignal, type SiteTerms } from '../domain/sync/site-terms.ts';

/**
 * Keeps what a run is told of edited EdgeSites where the workers at those sites read it: in its memo. A run that a worker
 * without this heard of it first leaves it at that.
 */
export function hearSiteTerms(): void {
  const told: Record<string, SiteTerms> = {};
  setHandler(defineSignal<[SiteTerms]>(siteTermsSignal), (terms) => {
    if (!patched('site-terms')) return;
    told[terms.site] = terms;
    upsertMemo({ [siteTermsMemo]: told });
  });
}
