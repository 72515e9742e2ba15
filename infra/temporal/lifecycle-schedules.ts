import {
  ScheduleAlreadyRunning,
  ScheduleOverlapPolicy,
  type Client,
  type ScheduleOptions,
} from '@temporalio/client';
import {
  cleanupScheduleId,
  lifecycleWorkflows,
  scrubScheduleId,
  storageScheduleId,
  usageScheduleId,
} from '../../domain/lifecycle/ids.ts';
import { collectBundlesSchedule, collectBundlesWorkflow } from '../../domain/bundle/stage-plan.ts';
import type { ObjectRef } from '../../domain/resources/meta.ts';
import { hubTaskQueue } from '../../domain/sync/ids.ts';
import { engineCall } from './engine-call.ts';
import { listScheduled } from './schedule.ts';

/** The schedules of the lifecycle. Failures: `EngineUnavailable`. */
export interface LifecycleSchedules {
  /** Creates or updates a policy's schedule; `cron` is five checked fields, in UTC. */
  ensureCleanup(ref: ObjectRef, cron: string): Promise<void>;
  deleteCleanup(ref: ObjectRef): Promise<void>;
  /** The policies that have a schedule. */
  scheduledPolicies(): Promise<readonly ObjectRef[]>;
  /**
   * The look at what is in use, every ten minutes; adding up storage, at once and every six hours; the scrub, once a day.
   * Written once, then left alone: an operator may change them.
   */
  ensureChores(): Promise<void>;
}

/** Schedules over a Temporal client. */
export function createLifecycleSchedules(client: Client): LifecycleSchedules {
  return {
    ensureCleanup: (ref, cron) => ensureCleanup(client, ref, cron),
    deleteCleanup: async (ref) => {
      await engineCall(client, () => client.schedule.getHandle(cleanupScheduleId(ref)).delete());
    },
    scheduledPolicies: () => listScheduled(client, /^cleanup-schedule\/([^/]+)\/([^/]+)$/),
    ensureChores: async () => {
      await createOnce(client, usageSchedule);
      await createOnce(client, storageSchedule);
      await createOnce(client, scrubSchedule);
      await createOnce(client, collectSchedule);
    },
  };
}

/** The expression is kept as the schedule's note: Temporal gives it back only in another form. */
async function ensureCleanup(client: Client, ref: ObjectRef, cron: string): Promise<void> {
  const wanted = cleanupSchedule(ref, cron);
  const handle = client.schedule.getHandle(wanted.scheduleId);
  const present = await engineCall(client, () => handle.describe());
  if (present?.state.note === cron) return;
  if (present === undefined) return createOnce(client, wanted);
  await engineCall(client, () => handle.update(() => ({ ...wanted, state: { note: cron } })));
}

const cleanupSchedule = (ref: ObjectRef, cron: string): ScheduleOptions & UpdatableParts => ({
  scheduleId: cleanupScheduleId(ref),
  spec: { cronExpressions: [cron], timezone: 'UTC', jitter: 30_000 },
  action: action(lifecycleWorkflows.scheduledCleanup, cleanupScheduleId(ref), [ref]),
  policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1h' },
  state: { note: cron },
});

const usageSchedule: ScheduleOptions = {
  scheduleId: usageScheduleId,
  spec: { intervals: [{ every: '10m' }], jitter: 30_000 },
  action: action(lifecycleWorkflows.recordUsage, usageScheduleId, []),
  policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '10m' },
};

const storageSchedule: ScheduleOptions = {
  scheduleId: storageScheduleId,
  spec: { intervals: [{ every: '6h' }], jitter: 300_000 },
  action: action(lifecycleWorkflows.measureStorage, storageScheduleId, []),
  policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1h' },
  state: { triggerImmediately: true },
};

const scrubSchedule: ScheduleOptions = {
  scheduleId: scrubScheduleId,
  spec: { cronExpressions: ['17 2 * * *'], timezone: 'UTC', jitter: 600_000 },
  action: action(lifecycleWorkflows.scrub, scrubScheduleId, []),
  policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '6h' },
};

/** Old bundles and blobs that none needs: once a day. */
const collectSchedule: ScheduleOptions = {
  scheduleId: collectBundlesSchedule,
  spec: { cronExpressions: ['43 3 * * *'], timezone: 'UTC', jitter: 600_000 },
  action: action(collectBundlesWorkflow, collectBundlesSchedule, []),
  policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '6h' },
};

interface UpdatableParts {
  readonly policies: NonNullable<ScheduleOptions['policies']>;
}

function action(workflowType: string, workflowId: string, args: unknown[]): ScheduleOptions['action'] {
  return { type: 'startWorkflow', workflowType, workflowId, taskQueue: hubTaskQueue, args };
}

async function createOnce(client: Client, options: ScheduleOptions): Promise<void> {
  await engineCall(client, async () => {
    try {
      await client.schedule.create(options);
    } catch (error) {
      if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    }
  });
}
