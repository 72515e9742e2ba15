import {
  executeChild,
  getExternalWorkflowHandle,
  isCancellation,
  patched,
  sleep,
} from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import type { ObjectRef } from '../domain/resources/meta.ts';
import type { SyncTrigger } from '../domain/resources/repository.ts';
import { syncWorkflowId } from '../domain/sync/ids.ts';
import { syncAgainSignal } from '../domain/sync/input.ts';
import { childSync } from './child-sync.ts';
import { syncRepository } from './sync.ts';

/** A run that ends at the very moment it is signalled takes no signal: then there is room for a new one. */
const attempts = 5;
/** Milliseconds between looks whether a sync that runs already has ended; two minutes in all. */
const pauses = [500, 1000, 2000, 4000, 8000, 15_000, 30_000, 60_000] as const;

/**
 * Runs a sync and waits for its end; the sync outlives whoever asked for it. One that runs already may have begun too
 * early to see what changed: its end is waited for, so that what follows finds written down how things are. Where that
 * takes longer than two minutes it is asked to run once more, and not waited for.
 */
export async function thenSync(ref: ObjectRef, trigger: SyncTrigger): Promise<void> {
  if (await runs(ref, trigger)) return;
  if (patched('wait-for-running-sync'))
    for (const pause of pauses) {
      await sleep(pause);
      if (await runs(ref, trigger)) return;
    }
  for (let attempt = 1; ; attempt += 1) {
    try {
      await getExternalWorkflowHandle(syncWorkflowId(ref)).signal(syncAgainSignal, trigger);
      return;
    } catch (error) {
      if (isCancellation(error) || attempt === attempts) throw error;
    }
    if (await runs(ref, trigger)) return;
  }
}

/** Runs a sync to its end; false where one runs already. */
async function runs(ref: ObjectRef, trigger: SyncTrigger): Promise<boolean> {
  try {
    await executeChild(syncRepository, childSync(ref, trigger));
    return true;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
    throw error;
  }
}
