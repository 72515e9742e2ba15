import { ScheduleOverlapPolicy, type Client, type ScheduleOptions } from '@temporalio/client';
import {
  cleanupScheduleId,
  cleanupSchedules,
  lifecycleWorkflows,
  scrubScheduleId,
  storageScheduleId,
  usageScheduleId,
} from '../../domain/lifecycle/ids.ts';
import {
  collectBundlesSchedule,
  collectBundlesWorkflow,
  siteMailSchedule,
  siteMailWorkflow,
} from '../../domain/bundle/stage-plan.ts';
import type { AuditObject } from '../../domain/audit/record.ts';
import type { ObjectRef } from '../../domain/resources/meta.ts';
import { createOnce, deleteSchedule, ensureCron, startAction, type CronSchedule } from './cron-schedule.ts';
import { noWitness, type ScheduleWitness } from './schedule-witness.ts';
import { engineCall } from './engine-call.ts';
import { listScheduled, parseScheduled } from './schedule.ts';

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
  /** Adds up storage now, unless that is under way, or somebody paused it in Temporal. */
  measureNow(): Promise<void>;
}

/** Schedules over a Temporal client. */
export function createLifecycleSchedules(
  client: Client,
  witness: ScheduleWitness = noWitness,
): LifecycleSchedules {
  return {
    ensureCleanup: (ref, cron) =>
      ensureCron(client, cron, cleanupSchedule(ref, cron), (work) =>
        witness({ verb: 'set-schedule', object: policyOf(ref), plan: cron }, work),
      ),
    deleteCleanup: (ref) =>
      deleteSchedule(client, cleanupScheduleId(ref), (work) =>
        witness({ verb: 'delete-schedule', object: policyOf(ref) }, work),
      ),
    scheduledPolicies: async () =>
      (await listScheduled(client, cleanupSchedules)).flatMap((id) => parseScheduled(id) ?? []),
    ensureChores: async () => {
      await createOnce(client, usageSchedule);
      await createOnce(client, storageSchedule);
      await createOnce(client, scrubSchedule);
      await createOnce(client, collectSchedule);
      await createOnce(client, mailSchedule);
    },
    measureNow: async () => {
      const handle = client.schedule.getHandle(storageScheduleId);
      const schedule = await engineCall(client, () => handle.describe());
      if (schedule === undefined || schedule.state.paused) return;
      await engineCall(client, () => handle.trigger(ScheduleOverlapPolicy.SKIP));
    },
  };
}

const policyOf = (ref: ObjectRef): AuditObject => ({ resource: 'imagecleanuppolicies', ...ref });

const cleanupSchedule = (ref: ObjectRef, cron: string): CronSchedule => ({
  scheduleId: cleanupScheduleId(ref),
  spec: { cronExpressions: [cron], timezone: 'UTC', jitter: 30_000 },
  action: cleanupAction(ref),
  policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1h' },
});

/** What the schedule of a policy starts. */
export const cleanupAction = (ref: ObjectRef): ScheduleOptions['action'] =>
  startAction(lifecycleWorkflows.scheduledCleanup, cleanupScheduleId(ref), [ref]);

const usageSchedule: ScheduleOptions = {
  scheduleId: usageScheduleId,
  spec: { intervals: [{ every: '10m' }], jitter: 30_000 },
  action: startAction(lifecycleWorkflows.recordUsage, usageScheduleId, []),
  policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '10m' },
};

const storageSchedule: ScheduleOptions = {
  scheduleId: storageScheduleId,
  spec: { intervals: [{ every: '6h' }], jitter: 300_000 },
  action: startAction(lifecycleWorkflows.measureStorage, storageScheduleId, []),
  policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1h' },
  state: { triggerImmediately: true },
};

const scrubSchedule: ScheduleOptions = {
  scheduleId: scrubScheduleId,
  spec: { cronExpressions: ['17 2 * * *'], timezone: 'UTC', jitter: 600_000 },
  action: startAction(lifecycleWorkflows.scrub, scrubScheduleId, []),
  policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '6h' },
};

/** Old bundles and blobs that none needs: once a day. */
const collectSchedule: ScheduleOptions = {
  scheduleId: collectBundlesSchedule,
  spec: { cronExpressions: ['43 3 * * *'], timezone: 'UTC', jitter: 600_000 },
  action: startAction(collectBundlesWorkflow, collectBundlesSchedule, []),
  policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '6h' },
};

/** Receipts and inventories that sites put into the bucket: every two minutes. */
const mailSchedule: ScheduleOptions = {
  scheduleId: siteMailSchedule,
  spec: { intervals: [{ every: '2m' }] },
  action: startAction(siteMailWorkflow, siteMailSchedule, []),
  policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '2m' },
};
