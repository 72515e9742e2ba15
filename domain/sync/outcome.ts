import type { ManifestStatus, SyncTrigger } from '../resources/repository.ts';
import type { FailureFacts } from './failure-facts.ts';
import { isMetadataOnly, type SyncPlan } from './plan.ts';
import type { SiteWait } from './site-wait.ts';
import { tallyFailure, type ImageResult, type Tally } from './tally.ts';

/** Which run it is. Times are RFC 3339 UTC. */
export interface RunIdentity {
  readonly workflowId: string;
  readonly runId: string;
  readonly trigger: SyncTrigger;
  readonly started: string;
  /** Id of the first run, where the sync goes on in a later one. Default: `runId`. */
  readonly begun?: string;
}

/** How a sync ended: everything that the status, the Event and the audit record are made of. */
export interface SyncOutcome {
  readonly run: RunIdentity;
  readonly ended: string;
  /** `Waiting`: nothing failed, and a site gets its part later. */
  readonly result: 'Success' | 'Failed' | 'Unchanged' | 'Cancelled' | 'Waiting';
  readonly plan: SyncPlan;
  readonly tally: Tally;
  readonly failure?: FailureFacts;
  /** Details of the image, read only where it is new. */
  readonly manifest?: ManifestStatus;
}

/** What stopped a run before its end, if anything did. */
export interface Ending {
  readonly tally: Tally;
  readonly failure?: FailureFacts;
  readonly manifest?: ManifestStatus;
}

/** Judges a run: cancelled, failed (in part counts as failed), unchanged, or successful. */
export function judge(plan: SyncPlan, run: RunIdentity, ending: Ending, ended: string): SyncOutcome {
  const failure = ending.failure ?? tallyFailure(ending.tally) ?? missingSite(plan);
  const unchanged = ending.tally.changed === 0 && ending.manifest === undefined;
  const clean = (ending.tally.waits?.length ?? 0) > 0 ? 'Waiting' : unchanged ? 'Unchanged' : 'Success';
  const failed = failure?.code === 'Cancelled' ? 'Cancelled' : 'Failed';
  return {
    run,
    ended,
    result: failure === undefined ? clean : failed,
    plan,
    tally: ending.tally,
    ...(failure === undefined ? {} : { failure }),
    ...(ending.manifest === undefined ? {} : { manifest: ending.manifest }),
  };
}

/** The image that `status.digest` and `status.manifest` are about: the spec's own tag, else the first one shown. */
export function primaryImage(outcome: Pick<SyncOutcome, 'plan' | 'tally'>): ImageResult | undefined {
  const whole = outcome.tally.shown.filter(({ partial }) => partial !== true);
  return whole.find((image) => image.tag === outcome.plan.tag) ?? whole[0];
}

/** What a run that did not fail waits for: the first of its sites. */
export const waitOf = ({ result, tally }: SyncOutcome): SiteWait | undefined =>
  result === 'Waiting' ? tally.waits?.[0] : undefined;

/** Whether all went well, but there is no site. */
export const onlyMetadata = (outcome: SyncOutcome): boolean =>
  outcome.failure === undefined && isMetadataOnly(outcome.plan);

function missingSite(plan: SyncPlan): FailureFacts | undefined {
  const site = plan.missingSites[0];
  return site === undefined
    ? undefined
    : {
        code: 'SiteNotFound',
        side: 'destination',
        subject: site,
      };
}
