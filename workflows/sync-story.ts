import {
  defineQuery,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { defineSearchAttributeKey } from '@temporalio/common';
import { searchAttributes } from '../domain/sync/ids.ts';
import { progressQuery, type SyncProgress } from '../domain/sync/input.ts';
import { someNames } from '../domain/some-names.ts';
import type { RunIdentity } from '../domain/sync/outcome.ts';
import { isMetadataOnly, type SyncPlan } from '../domain/sync/plan.ts';
import type { SyncTrigger } from '../domain/resources/repository.ts';
import { imageName } from '../domain/sync/words.ts';

/** Sites that Temporal's UI names. */
const shownSites = 20;

/** What a run tells those who look at it while it runs. Nothing in it decides anything. */
export interface SyncStory {
  readonly progress: SyncProgress;
  tell(change: Partial<SyncProgress>): void;
}

/** Answers the query `progress` from now on. */
export function beginStory(): SyncStory {
  const story = {
    progress: { phase: 'planning', images: 0, copiesDone: 0, copies: 0 } as SyncProgress,
    tell(change: Partial<SyncProgress>): void {
      story.progress = { ...story.progress, ...change };
    },
  };
  setHandler(defineQuery<SyncProgress>(progressQuery), () => story.progress);
  return story;
}

/** The workflow's time, RFC 3339 UTC in seconds: the server's clock, the same on every replay (fault N17). */
export const now = (): string => `${new Date().toISOString().slice(0, 19)}Z`;

/** Which run this is. `started` and `begun` are those of the whole sync, where it goes on in a new run. */
export function thisRun(trigger: SyncTrigger, started: string, begun?: string): RunIdentity {
  const { workflowId, runId } = workflowInfo();
  return { workflowId, runId, trigger, started, ...(begun === undefined ? {} : { begun }) };
}

/** Shows the plan in Temporal's UI and makes the run findable by registry and site. */
export function showPlan(plan: SyncPlan, trigger: SyncTrigger): void {
  const sites = plan.sites.map(({ site }) => site);
  const destination = isMetadataOnly(plan) ? 'no site: metadata only' : someNames(sites, shownSites);
  setCurrentDetails(
    [
      `**${imageName(plan)}** → ${destination}`,
      `- trigger: ${trigger}`,
      `- sites with bundles: ${someNames(plan.offlineSites, shownSites) || 'none'}`,
      `- time-out ${Math.round(plan.timeoutMs / 1000)} s, ${plan.retry.retryCount} retries`,
    ].join('\n'),
  );
  findableBy('registry', plan.registryRef.name);
  if (sites[0] !== undefined) findableBy('site', sites[0]);
}

/** Adds a search attribute to the run. */
export function findableBy(name: keyof typeof searchAttributes, value: string): void {
  upsertSearchAttributes([{ key: defineSearchAttributeKey(searchAttributes[name], 'KEYWORD'), value }]);
}
