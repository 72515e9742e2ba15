import type { EdgeSite } from '../resources/edge-site.ts';
import type { ObjectRef } from '../resources/meta.ts';
import { siteTaskQueue } from './ids.ts';
import { windowAt } from './sync-window.ts';

/** Workflow type of a site's desk, where Repositories wait for the site. */
export const deskWorkflow = 'siteDesk';
/** Workflow id of a site's desk. */
export const deskWorkflowId = (site: string): string => `site/${site}`;
/** `wait`: a Repository waits from now on. `look`: the EdgeSite was changed. */
export const deskSignals = { wait: 'wait', look: 'look' } as const;

/** What a desk begins with. */
export interface DeskInput {
  readonly site: string;
  readonly waiting: readonly ObjectRef[];
}

/** What has to come first before a site can be filled. */
export type SiteOpening =
  | { readonly after: 'nothing' }
  /** `at`: epoch milliseconds. */
  | { readonly after: 'window'; readonly at: number }
  /** The site's own worker has to take work from this queue. */
  | { readonly after: 'worker'; readonly queue: string };

/** A site that is gone holds nobody up: the sync says what is wrong with it. */
export function siteOpening(site: EdgeSite | undefined, now: number): SiteOpening {
  if (site === undefined || site.spec.mode === 'offline') return { after: 'nothing' };
  const window = windowAt(site.spec.syncWindow, now);
  if (!window.open) return { after: 'window', at: window.opensAt };
  return site.spec.worker === true
    ? { after: 'worker', queue: siteTaskQueue(site.metadata.name) }
    : { after: 'nothing' };
}
