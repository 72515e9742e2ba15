import { createHash } from 'node:crypto';
import type { Client, WorkflowStartOptions } from '@temporalio/client';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { asFailure, Failure } from '../../domain/failure.ts';
import type { BatchInput, BatchProgress } from '../../domain/batch/operation.ts';
import type { ObjectRef } from '../../domain/resources/meta.ts';
import { isSyncTrigger, type SyncTrigger } from '../../domain/resources/repository.ts';
import {
  batchWorkflowId,
  hubTaskQueue,
  resyncScheduleId,
  syncWorkflowId,
  verifyWorkflowId,
} from '../../domain/sync/ids.ts';
import { requestMemo, syncAgainSignal, workflowTypes } from '../../domain/sync/input.ts';
import { priorityOf } from '../../domain/sync/priority.ts';
import { engineCall } from './engine-call.ts';
import type { StartedRun, SyncRun, VerifyVerdict, WorkflowGateway } from './gateway.ts';
import { deleteSchedule } from './cron-schedule.ts';
import { ensureResync, listResyncs } from './schedule.ts';
import { noWitness, type ScheduleWitness } from './schedule-witness.ts';
import { attributesOf, attributesOfRepository, triggerAttribute } from './search-attributes.ts';

/** The only way in which the API and the reconcilers reach Temporal. Failures: `EngineUnavailable`, `Timeout`. */
export function createWorkflowGateway(client: Client, witness: ScheduleWitness = noWitness): WorkflowGateway {
  return {
    startSync: async (ref, trigger, request, isWanted) =>
      isWanted === undefined || (await isWanted())
        ? startSync(client, ref, trigger, request)
        : servedRun(client, ref),
    tellEdited: (ref) => tellEdited(client, ref),
    newestSync: async (ref) => (await newestRun(client, ref))?.run,
    startVerify: (ref) => startOrJoin(client, workflowTypes.verify, verifyStart(ref)),
    cancelSync: (ref, runId) => cancelSync(client, ref, runId),
    ensureSchedule: (ref, schedule) => ensureResync(client, ref, schedule, witness),
    deleteSchedule: (ref) =>
      deleteSchedule(client, resyncScheduleId(ref), (work) =>
        witness({ verb: 'delete-schedule', object: { resource: 'repositories', ...ref } }, work),
      ),
    scheduledRepositories: () => listResyncs(client),
    startBatch: (input) => startOrJoin(client, workflowTypes.batch, batchStart(input)),
    batchProgress: (id) =>
      engineCall(client, () =>
        client.workflow.getHandle(batchWorkflowId(id)).query<BatchProgress>('progress'),
      ),
    awaitVerify: (run, timeoutMs) => awaitVerdict(client, run, timeoutMs),
  };
}

/**
 * Starts a sync or joins the one that runs, and tells that one: it may be past the point where it could see what this
 * request is about, and then runs once more.
 */
async function startSync(
  client: Client,
  ref: ObjectRef,
  trigger: SyncTrigger,
  request: string | undefined,
): Promise<StartedRun> {
  const key = request === undefined ? undefined : requestKey(trigger, request);
  const served = key === undefined ? undefined : await newestRun(client, ref);
  if (served !== undefined && served.request === key)
    return { ...served.run, alreadyRunning: served.run.isOpen };
  for (let round = 0; round < 3; round += 1) {
    const run = await startOrJoin(client, workflowTypes.sync, syncStart(ref, trigger, key));
    if (!run.alreadyRunning) return run;
    const handle = client.workflow.getHandle(run.workflowId, run.runId);
    const heard = await engineCall(client, async () => {
      await handle.signal(syncAgainSignal, trigger, ...(key === undefined ? [] : [key]));
      return true;
    });
    if (heard === true) return run;
  }
  throw new Failure('EngineUnavailable', { side: 'cluster', subject: syncWorkflowId(ref) });
}

async function tellEdited(client: Client, ref: ObjectRef): Promise<boolean> {
  const trigger: SyncTrigger = 'spec';
  const heard = await engineCall(client, async () => {
    await client.workflow.getHandle(syncWorkflowId(ref)).signal(syncAgainSignal, trigger);
    return true;
  });
  return heard === true;
}

/** Temporal takes the wish to cancel a run that has ended, too, and does nothing: so it is asked first whether it runs. */
async function cancelSync(client: Client, ref: ObjectRef, runId: string | undefined): Promise<boolean> {
  const handle = client.workflow.getHandle(syncWorkflowId(ref), runId);
  const known = await engineCall(client, () => handle.describe());
  if (known?.status.name !== 'RUNNING') return false;
  return (await engineCall(client, () => handle.cancel())) !== undefined;
}

/** The run that somebody else started for a sync that is wanted no more. Throws `Superseded` where there is none. */
async function servedRun(client: Client, ref: ObjectRef): Promise<StartedRun> {
  const served = await newestRun(client, ref);
  if (served !== undefined) return { ...served.run, alreadyRunning: served.run.isOpen };
  const detail = 'the object is gone, or was changed meanwhile';
  throw new Failure('Superseded', { side: 'cluster', subject: syncWorkflowId(ref), detail });
}

/** What a request is remembered by in the run that was started for it. */
const requestKey = (trigger: SyncTrigger, request: string): string =>
  createHash('sha256').update(`${trigger} ${request}`).digest('hex').slice(0, 32);

/** The newest run, and the request it was started for. */
async function newestRun(
  client: Client,
  ref: ObjectRef,
): Promise<{ readonly run: SyncRun; readonly request: unknown } | undefined> {
  const found = await engineCall(client, () => client.workflow.getHandle(syncWorkflowId(ref)).describe());
  if (found === undefined) return undefined;
  const { workflowId, runId, status, startTime, closeTime, memo, typedSearchAttributes } = found;
  const trigger = typedSearchAttributes.get(triggerAttribute);
  const run = {
    workflowId,
    runId,
    isOpen: status.name === 'RUNNING',
    trigger: isSyncTrigger(trigger) ? trigger : 'schedule',
    started: seconds(startTime),
    ...(closeTime === undefined ? {} : { ended: seconds(closeTime) }),
  };
  return { run, request: memo?.[requestMemo] };
}

const seconds = (time: Date): string => `${time.toISOString().slice(0, 19)}Z`;

type Start = WorkflowStartOptions & { readonly args: readonly unknown[] };

const syncStart = (ref: ObjectRef, trigger: SyncTrigger, key: string | undefined): Start => ({
  workflowId: syncWorkflowId(ref),
  taskQueue: hubTaskQueue,
  args: [{ ref, trigger }],
  staticSummary: `Sync ${ref.namespace}/${ref.name} (${trigger})`,
  typedSearchAttributes: attributesOfRepository(ref, trigger),
  priority: priorityOf(trigger),
  ...(key === undefined ? {} : { memo: { [requestMemo]: key } }),
});

const verifyStart = (ref: ObjectRef): Start => ({
  workflowId: verifyWorkflowId(ref),
  taskQueue: hubTaskQueue,
  args: [ref],
  staticSummary: `Test the connection of ${ref.namespace}/${ref.name}`,
  typedSearchAttributes: attributesOf({ namespace: ref.namespace, registry: ref.name }),
});

const batchStart = (input: BatchInput): Start => ({
  workflowId: batchWorkflowId(input.id),
  taskQueue: hubTaskQueue,
  args: [input],
  staticSummary: `Batch of ${input.items.length} for ${input.requestedBy}`,
  typedSearchAttributes: [],
});

/**
 * One run per id (faults N13, G05): a second start joins the run that is there. Where that run ends just then, a new
 * one is started, so that a request is never answered with a run that did not see it.
 */
async function startOrJoin(client: Client, type: string, start: Start): Promise<StartedRun> {
  for (let round = 0; round < 3; round += 1) {
    const started = await startOnce(client, type, start);
    if (started !== undefined) return { workflowId: start.workflowId, runId: started, alreadyRunning: false };
    const running = await engineCall(client, () => client.workflow.getHandle(start.workflowId).describe());
    if (running?.status.name === 'RUNNING')
      return { workflowId: start.workflowId, runId: running.runId, alreadyRunning: true };
  }
  throw new Failure('EngineUnavailable', { side: 'cluster', subject: start.workflowId });
}

/** The new run's id; undefined where one with that id runs already. */
async function startOnce(client: Client, type: string, start: Start): Promise<string | undefined> {
  return engineCall(client, async () => {
    try {
      const handle = await client.workflow.start(type, { ...start, workflowIdConflictPolicy: 'FAIL' });
      return handle.firstExecutionRunId;
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) return undefined;
      throw error;
    }
  });
}

async function awaitVerdict(client: Client, run: StartedRun, timeoutMs: number): Promise<VerifyVerdict> {
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const handle = client.workflow.getHandle<() => Promise<VerifyVerdict>>(run.workflowId, run.runId);
    return await client.withAbortSignal(signal, () => handle.result());
  } catch (error) {
    if (signal.aborted) throw new Failure('Timeout', { side: 'source', subject: run.workflowId });
    const failure = asFailure(error);
    throw failure.code === 'Internal' ? new Failure('EngineUnavailable', { cause: error }) : failure;
  }
}
