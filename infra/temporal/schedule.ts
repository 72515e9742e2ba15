import {
  ScheduleAlreadyRunning,
  ScheduleOverlapPolicy,
  type Client,
  type ScheduleDescription,
  type ScheduleOptions,
} from '@temporalio/client';
import { Failure } from '../../domain/failure.ts';
import type { ObjectRef } from '../../domain/resources/meta.ts';
import { hubTaskQueue, resyncScheduleId } from '../../domain/sync/ids.ts';
import { workflowTypes } from '../../domain/sync/input.ts';
import { scheduleOffset } from '../../domain/sync/spread.ts';
import { engineCall } from './engine-call.ts';
import { attributesOfRepository } from './search-attributes.ts';

/** How often, and whether at all. `everyMs` below one second counts as one second: Temporal's shortest interval. */
export interface ResyncPlan {
  readonly everyMs: number;
  readonly paused: boolean;
}

/** Creates or updates the Schedule of a Repository; writes nothing where it is as wanted. */
export async function ensureResync(client: Client, ref: ObjectRef, plan: ResyncPlan): Promise<void> {
  const wanted = scheduleOptions(ref, plan);
  const handle = client.schedule.getHandle(resyncScheduleId(ref));
  const present = await engineCall(client, () => handle.describe());
  if (present === undefined) {
    const created = await engineCall(client, () => createOnce(client, wanted));
    if (created === true) return;
  } else if (matches(present, plan)) {
    return;
  }
  await engineCall(client, () =>
    handle.update(() => ({
      spec: wanted.spec,
      action: wanted.action,
      ...(wanted.policies === undefined ? {} : { policies: wanted.policies }),
      state: { paused: plan.paused },
    })),
  );
}

/** Deletes the Schedule; true too where there was none. A sync that runs is not touched. */
export async function deleteResync(client: Client, ref: ObjectRef): Promise<void> {
  await engineCall(client, () => client.schedule.getHandle(resyncScheduleId(ref)).delete());
}

/** The Repositories that have a Schedule, deleted ones included. Listing may take as long as there are pages. */
export const listResyncs = (client: Client): Promise<readonly ObjectRef[]> =>
  listScheduled(client, /^resync\/([^/]+)\/([^/]+)$/);

/** The objects whose schedules have ids of a form: two groups, namespace and name. */
export async function listScheduled(client: Client, form: RegExp): Promise<readonly ObjectRef[]> {
  const found: ObjectRef[] = [];
  try {
    for await (const { scheduleId } of client.schedule.list({ pageSize: 500 })) {
      const [, namespace, name] = form.exec(scheduleId) ?? [];
      if (namespace !== undefined && name !== undefined) found.push({ namespace, name });
    }
  } catch (cause) {
    throw new Failure('EngineUnavailable', { side: 'cluster', cause });
  }
  return found;
}

/**
 * Overlap is skipped, and what was missed while Temporal was away is caught up with one run at most (fault S02): the
 * window is one interval, where Temporal's default is a year.
 */
function scheduleOptions(ref: ObjectRef, plan: ResyncPlan): ScheduleOptions {
  const every = Math.max(1000, plan.everyMs);
  const scheduleId = resyncScheduleId(ref);
  return {
    scheduleId,
    spec: {
      intervals: [{ every, offset: scheduleOffset(ref, every) }],
      jitter: Math.min(60_000, Math.floor(every / 20)),
    },
    action: {
      type: 'startWorkflow',
      workflowType: workflowTypes.resync,
      workflowId: scheduleId,
      taskQueue: hubTaskQueue,
      args: [ref],
      staticSummary: `Scheduled sync of ${ref.namespace}/${ref.name}`,
      typedSearchAttributes: attributesOfRepository(ref, 'schedule'),
    },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: Math.max(10_000, every) },
    state: { paused: plan.paused },
  };
}

/** False where somebody else created it first. */
async function createOnce(client: Client, options: ScheduleOptions): Promise<boolean> {
  try {
    await client.schedule.create(options);
    return true;
  } catch (error) {
    if (error instanceof ScheduleAlreadyRunning) return false;
    throw error;
  }
}

function matches(present: ScheduleDescription, plan: ResyncPlan): boolean {
  const every = present.spec.intervals?.[0]?.every;
  return present.state.paused === plan.paused && every === Math.max(1000, plan.everyMs);
}
