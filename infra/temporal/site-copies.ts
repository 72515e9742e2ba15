import type { Client } from '@temporalio/client';
import type { Payload } from '@temporalio/common';
import type { ObjectRef } from '../../domain/resources/meta.ts';
import { syncWorkflowId } from '../../domain/sync/ids.ts';
import {
  siteTermsMemo,
  siteTermsSignal,
  type SiteBeat,
  type SiteTerms,
} from '../../domain/sync/site-terms.ts';
import { engineCall } from './engine-call.ts';
import { parseBeat, parseTerms } from './site-words.ts';

/** What the copies of one run at sites say. */
export interface SiteCopyRun {
  readonly runId: string;
  readonly beats: readonly SiteBeat[];
}

/** The copies that workers at sites have under way, as the hub sees them. Failures: `EngineUnavailable`. */
export interface SiteCopies {
  /** What those of a Repository's running sync said last; undefined where none runs. Adds nothing to a history. */
  look(ref: ObjectRef): Promise<SiteCopyRun | undefined>;
  /** Tells the sync that has them what an edited EdgeSite says. */
  tell(ref: ObjectRef, terms: SiteTerms): Promise<void>;
}

/** What a run was told of sites while it is under way, as a site's worker sees it. Failures: `EngineUnavailable`. */
export interface ToldTerms {
  /** Default: it was told nothing of that site. */
  newest(
    run: { readonly workflowId: string; readonly runId: string },
    site: string,
  ): Promise<SiteTerms | undefined>;
}

/** Reads heartbeats of steps under way: a site's worker reaches nothing of the hub but Temporal. */
export function createSiteCopies(client: Client): SiteCopies {
  return {
    async look(ref) {
      const handle = client.workflow.getHandle(syncWorkflowId(ref));
      const run = await engineCall(client, () => handle.describe());
      if (run === undefined || run.status.name !== 'RUNNING') return undefined;
      const said = (run.raw.pendingActivities ?? []).map(
        ({ heartbeatDetails }) => heartbeatDetails?.payloads?.[0],
      );
      const beats = await Promise.all(said.map(async (payload) => parseBeat(await opened(client, payload))));
      return { runId: run.runId, beats: beats.filter((beat) => beat !== undefined) };
    },
    async tell(ref, terms) {
      const handle = client.workflow.getHandle(syncWorkflowId(ref));
      await engineCall(client, () => handle.signal(siteTermsSignal, terms));
    },
  };
}

/** Reads a run's memo: that costs the hub's workers nothing, and a site that is told nothing adds nothing to a history. */
export function createToldTerms(client: Client): ToldTerms {
  return {
    async newest({ workflowId, runId }, site) {
      const handle = client.workflow.getHandle(workflowId, runId);
      const memo = (await engineCall(client, () => handle.describe()))?.memo?.[siteTermsMemo];
      const told = typeof memo === 'object' && memo !== null ? Object.entries(memo) : [];
      return parseTerms(told.find(([name]) => name === site)?.[1]);
    },
  };
}

/** Undefined where there is nothing, or nothing that can be read here. */
async function opened(client: Client, payload: Payload | null | undefined): Promise<unknown> {
  if (payload === null || payload === undefined) return undefined;
  const { payloadConverter, payloadCodecs } = client.options.loadedDataConverter;
  try {
    let payloads = [payload];
    for (const codec of payloadCodecs.toReversed()) payloads = await codec.decode(payloads);
    return payloads[0] === undefined ? undefined : payloadConverter.fromPayload(payloads[0]);
  } catch {
    return undefined;
  }
}
