import { ActivityCancellationType, proxyActivities, type ActivityOptions } from '@temporalio/workflow';
import type { CopyActivities, HubActivities, SiteActivities } from '../activities/index.ts';
import { registryRetryCodes } from '../domain/sync/retry.ts';

/** Silence after which a worker counts as dead and another takes its step. A blocked event loop may last 10 s (fault N21). */
const heartbeatTimeout = '20s';

/**
 * Steps inside the cluster: tried again by Temporal until the cluster is back, for at most half an hour. People wait for
 * them, so that a dead worker is noticed sooner.
 */
const clusterOptions: ActivityOptions = {
  startToCloseTimeout: '30s',
  heartbeatTimeout: '10s',
  scheduleToCloseTimeout: '30m',
  retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '15s' },
};

/**
 * Steps that talk to registries. What a registry refuses comes back to the workflow, which counts `retryCount`; only a
 * dead worker or a cluster that is away is Temporal's to mend, and costs none of the user's tries.
 */
const registryOptions: ActivityOptions = {
  startToCloseTimeout: '10m',
  heartbeatTimeout,
  cancellationType: ActivityCancellationType.TRY_CANCEL,
  retry: {
    initialInterval: '500ms',
    maximumInterval: '15s',
    nonRetryableErrorTypes: [...registryRetryCodes],
  },
};

/** Copies: a cancelled one is waited for, so that the site is clean when the sync says that it ended. */
const copyOptions: ActivityOptions = {
  ...registryOptions,
  startToCloseTimeout: '24h',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
};

/** Reads resources, writes status and Events. */
export const cluster =
  proxyActivities<
    Pick<
      HubActivities,
      | 'planSync'
      | 'stillWanted'
      | 'beginSync'
      | 'recordSync'
      | 'recordConnection'
      | 'waitAtSites'
      | 'siteOpening'
    >
  >(clusterOptions);

/** Looks at registries. */
export const registry =
  proxyActivities<
    Pick<
      HubActivities,
      'lookOnSchedule' | 'surveyImages' | 'verifySignature' | 'describeImage' | 'checkConnection'
    >
  >(registryOptions);

/**
 * Copies on a task queue; `summary` is what Temporal's UI shows. `patience`: milliseconds after which nobody took it.
 * Default: it waits for as long as no worker polls the queue.
 */
export function copying(taskQueue: string, summary: string, patience?: number): CopyActivities {
  const limit = patience === undefined ? {} : { scheduleToStartTimeout: patience };
  return proxyActivities<CopyActivities>({ ...copyOptions, ...limit, taskQueue, summary });
}

/** A step that a site's own worker takes when it is there, however long that may be. */
export function greeting(taskQueue: string): SiteActivities {
  return proxyActivities<SiteActivities>({
    taskQueue,
    startToCloseTimeout: '10s',
    summary: 'Is done when the site takes work',
    retry: { maximumInterval: '15s' },
  });
}
