import { proxyActivities } from '@temporalio/workflow';
import type { SiteActivities } from '../activities/index.ts';
import { siteTaskQueue } from '../domain/sync/ids.ts';

/**
 * Asks a site's own worker what the Pods there use. One that does not take the question soon is away: then nobody knows,
 * and everything is kept.
 */
export async function siteUsage(site: string): Promise<readonly string[]> {
  const worker = proxyActivities<Pick<SiteActivities, 'siteImages'>>({
    taskQueue: siteTaskQueue(site),
    scheduleToStartTimeout: '20s',
    startToCloseTimeout: '60s',
    scheduleToCloseTimeout: '80s',
    summary: `What the Pods at ${site} use`,
    retry: { initialInterval: '1s', maximumAttempts: 3 },
  });
  return worker.siteImages();
}
