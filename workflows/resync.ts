import { ParentClosePolicy, startChild, workflowInfo } from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import type { ObjectRef } from '../domain/resources/meta.ts';
import { syncWorkflowId } from '../domain/sync/ids.ts';
import { priorityOf } from '../domain/sync/priority.ts';
import { factsOfError } from './failure.ts';
import { syncRepository } from './sync.ts';

/** What became of a scheduled start: a code of the failure list where the sync failed. */
export interface ResyncReport {
  readonly result: string;
}

/**
 * What a Repository's Schedule starts. Temporal adds the time to the id of a scheduled run, and a sync must have the one
 * id that keeps two of them from running at once: so this starts the sync as its child, and is content where one runs
 * already (fault S01). It waits for the end, so that the Schedule sees how long its work takes, and skips meanwhile.
 */
export async function resync(ref: ObjectRef): Promise<ResyncReport> {
  try {
    const child = await startChild(syncRepository, {
      workflowId: syncWorkflowId(ref),
      args: [{ ref, trigger: 'schedule', looksFirst: true }],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      staticSummary: `Sync ${ref.namespace}/${ref.name} (schedule)`,
      typedSearchAttributes: workflowInfo().typedSearchAttributes,
      priority: priorityOf('schedule'),
    });
    return { result: (await child.result()).result };
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return { result: 'AlreadyRunning' };
    return { result: factsOfError(error).code };
  }
}
