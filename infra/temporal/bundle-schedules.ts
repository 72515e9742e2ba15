import { ScheduleOverlapPolicy, type Client, type ScheduleOptions } from '@temporalio/client';
import type { AuditObject } from '../../domain/audit/record.ts';
import { scheduledStageWorkflow, stageScheduleId } from '../../domain/bundle/stage-plan.ts';
import { deleteSchedule, ensureCron, startAction, type CronSchedule } from './cron-schedule.ts';
import { listScheduled } from './schedule.ts';
import { noWitness, type ScheduleWitness } from './schedule-witness.ts';

/** The schedules by which sites get bundles. Failures: `EngineUnavailable`. */
export interface BundleSchedules {
  /** Creates or updates a site's schedule; `cron` is five checked fields, in UTC. */
  ensureStage(site: string, cron: string): Promise<void>;
  deleteStage(site: string): Promise<void>;
  /** The sites that have a schedule, deleted ones included. */
  scheduledSites(): Promise<readonly string[]>;
}

/** Schedules over a Temporal client. */
export function createBundleSchedules(client: Client, witness: ScheduleWitness = noWitness): BundleSchedules {
  return {
    ensureStage: (site, cron) =>
      ensureCron(client, cron, stageSchedule(site, cron), (work) =>
        witness({ verb: 'set-schedule', object: siteOf(site), plan: cron }, work),
      ),
    deleteStage: (site) =>
      deleteSchedule(client, stageScheduleId(site), (work) =>
        witness({ verb: 'delete-schedule', object: siteOf(site) }, work),
      ),
    scheduledSites: () => listScheduled(client, stageScheduleId('')),
  };
}

const siteOf = (name: string): AuditObject => ({ resource: 'edgesites', name });

const stageSchedule = (site: string, cron: string): CronSchedule => ({
  scheduleId: stageScheduleId(site),
  spec: { cronExpressions: [cron], timezone: 'UTC', jitter: 30_000 },
  action: stageAction(site),
  policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1h' },
});

/** What the schedule of a site's bundles starts. */
export const stageAction = (site: string): ScheduleOptions['action'] =>
  startAction(scheduledStageWorkflow, stageScheduleId(site), [site]);
