import { ScheduleOverlapPolicy, type Client } from '@temporalio/client';
import { scheduledStageWorkflow, stageScheduleId } from '../../domain/bundle/stage-plan.ts';
import { ensureCron, startAction } from './cron-schedule.ts';
import { engineCall } from './engine-call.ts';
import { listScheduled } from './schedule.ts';

/** The schedules by which sites get bundles. Failures: `EngineUnavailable`. */
export interface BundleSchedules {
  /** Creates or updates a site's schedule; `cron` is five checked fields, in UTC. */
  ensureStage(site: string, cron: string): Promise<void>;
  deleteStage(site: string): Promise<void>;
  /** The sites that have a schedule, deleted ones included. */
  scheduledSites(): Promise<readonly string[]>;
}

/** Schedules over a Temporal client. */
export function createBundleSchedules(client: Client): BundleSchedules {
  return {
    ensureStage: (site, cron) =>
      ensureCron(client, cron, {
        scheduleId: stageScheduleId(site),
        spec: { cronExpressions: [cron], timezone: 'UTC', jitter: 30_000 },
        action: startAction(scheduledStageWorkflow, stageScheduleId(site), [site]),
        policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1h' },
      }),
    deleteStage: async (site) => {
      await engineCall(client, () => client.schedule.getHandle(stageScheduleId(site)).delete());
    },
    scheduledSites: () => listScheduled(client, stageScheduleId('')),
  };
}
