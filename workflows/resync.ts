import { ParentClosePolicy, startChild, workflowInfo } from '@temporalio/workflow';
import type { ObjectRef } from '../domain/resources/meta.ts';
import { syncWorkflowId } from '../domain/sync/ids.ts';
import { priorityOf } from '../domain/sync/priority.ts';
import { syncRepository } from './sync.ts';

/**
 * What a Repository's Schedule starts. Temporal adds the time to the id of a scheduled run, and a sync must have the one
 * id that keeps two of them from running at once: so this starts the sync as its child, and is content where one runs
 * already (fault S01). It waits for the end, so that the Schedule sees how long its work takes, and skips meanwhile.
 *
 * Like all that Schedules start it gives nothing back: Temporal keeps the last result and hands it to the next run, sealed
 * with a key that may be gone by then. How the sync ended is in this run's history.
 */
export async function resync(ref: ObjectRef): Promise<void> {
  try {
    const child = await startChild(syncRepository, {
      workflowId: syncWorkflowId(ref),
      args: [{ ref, trigger: 'schedule', looksFirst: true }],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      staticSummary: `Sync ${ref.namespace}/${ref.name} (schedule)`,
      typedSearchAttributes: workflowInfo().typedSearchAttributes,
      priority: priorityOf('schedule'),
    });
    await child.result();
  } catch {
    // It runs already, or its status says why it failed: the Schedule goes on.
  }
}
