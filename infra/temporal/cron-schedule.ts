import { ScheduleAlreadyRunning, type Client, type ScheduleOptions } from '@temporalio/client';
import { hubTaskQueue } from '../../domain/sync/ids.ts';
import { engineCall } from './engine-call.ts';
import { attributesWithSeal } from './seal-attribute.ts';

/** A schedule that can be written over an older one. */
export type CronSchedule = ScheduleOptions & {
  readonly policies: NonNullable<ScheduleOptions['policies']>;
};

/** What is done before and after a change, which is left out where nothing is to change. */
export type Around = <T>(change: () => Promise<T>) => Promise<T>;

/**
 * Creates or updates a schedule of one cron expression. The expression is kept as the schedule's note: Temporal gives it
 * back only in another form. A pause is somebody's in Temporal and stays, with its note, until they end it; what changed
 * meanwhile is made up for then.
 */
export async function ensureCron(
  client: Client,
  cron: string,
  schedule: CronSchedule,
  around: Around,
): Promise<void> {
  const wanted = { ...schedule, state: { note: cron } };
  const handle = client.schedule.getHandle(schedule.scheduleId);
  const present = await engineCall(client, () => handle.describe());
  if (present?.state.note === cron || present?.state.paused === true) return;
  const typedSearchAttributes = attributesWithSeal(client, present);
  const marked = { ...wanted, typedSearchAttributes };
  if (present === undefined) return around(() => createOnce(client, marked));
  await around(() => engineCall(client, () => handle.update(() => marked)));
}

/** Deletes a schedule, whatever it has started goes on. Where there is none, nothing is done. */
export async function deleteSchedule(client: Client, scheduleId: string, around: Around): Promise<void> {
  const handle = client.schedule.getHandle(scheduleId);
  if ((await engineCall(client, () => handle.describe())) === undefined) return;
  await around(() => engineCall(client, () => handle.delete()));
}

/** Creates a schedule where there is none; an operator may have changed the one that is there. */
export async function createOnce(client: Client, options: ScheduleOptions): Promise<void> {
  await engineCall(client, async () => {
    try {
      await client.schedule.create(options);
    } catch (error) {
      if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    }
  });
}

/** What a schedule starts. */
export function startAction(
  workflowType: string,
  workflowId: string,
  args: unknown[],
): ScheduleOptions['action'] {
  return { type: 'startWorkflow', workflowType, workflowId, taskQueue: hubTaskQueue, args };
}
