import { z } from 'zod';
import type { SiteBeat, SiteTerms } from '../../domain/sync/site-terms.ts';
import { checkSyncWindow } from '../../domain/sync/sync-window.ts';
import { limitingFields } from '../kubernetes/schema/edge-site.ts';

const siteTerms = limitingFields
  .extend({ site: z.string(), since: z.string(), generation: z.int() })
  .refine(
    ({ syncWindow }) => syncWindow === undefined || hasWindow(syncWindow),
  ) satisfies z.ZodType<SiteTerms>;

const count = z.number().min(0);
const siteBeat = z.object({
  site: z.string(),
  uid: z.string(),
  position: z.object({ before: count, of: count, together: count.exactOptional() }),
  doneBytes: count,
  totalBytes: count,
  terms: siteTerms,
}) satisfies z.ZodType<SiteBeat>;

/** Reads what a hub says of a site; undefined for anything else. */
export const parseTerms = (value: unknown): SiteTerms | undefined => siteTerms.safeParse(value).data;

/** Reads what a site's worker says; undefined for anything else, such as what a copy of the hub says. */
export const parseBeat = (value: unknown): SiteBeat | undefined => siteBeat.safeParse(value).data;

function hasWindow(window: NonNullable<SiteTerms['syncWindow']>): boolean {
  try {
    checkSyncWindow(window);
    return true;
  } catch {
    return false;
  }
}
