import type { Client } from '@temporalio/client';
import {
  ApplicationFailure,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
} from '@temporalio/common';
import { Failure } from '../../domain/failure.ts';
import type { Approval } from '../../domain/lifecycle/approval.ts';
import type { CleanupInput } from '../../domain/lifecycle/cleanup-run.ts';
import type { ParkingSummary } from '../../domain/lifecycle/parking.ts';
import type { RollbackRequest } from '../../domain/lifecycle/rollback.ts';
import { cleanupWorkflowId, lifecycleWorkflows, rollbackWorkflowId } from '../../domain/lifecycle/ids.ts';
import type { ObjectRef } from '../../domain/resources/meta.ts';
import { parseFacts } from '../../domain/sync/failure-facts.ts';
import { hubTaskQueue } from '../../domain/sync/ids.ts';
import { engineCall } from './engine-call.ts';
import type { StartedRun } from './gateway.ts';
import { attributesOf, attributesOfRepository } from './search-attributes.ts';

/** Starting and steering of cleanups and rollbacks. Failures: `EngineUnavailable`, and what the workflow refuses with. */
export interface LifecycleGateway {
  /** Starts `cleanup/<ns>/<policy>`, or joins the one that runs. */
  startCleanup(ref: ObjectRef, trigger: CleanupInput['trigger']): Promise<StartedRun>;
  /** Approves the plan that waits. Throws `PlanChanged` for another hash, `Conflict` where none waits. */
  approvePlan(ref: ObjectRef, approval: Approval): Promise<void>;
  /** Puts parked tags back, all where none is named. Throws `Conflict` where none is parked. */
  restoreTags(ref: ObjectRef, tags: readonly string[]): Promise<ParkingSummary>;
  /** Stops a cleanup; what it parked is put back. False where none runs. */
  cancelCleanup(ref: ObjectRef): Promise<boolean>;
  /** Starts `rollback/<ns>/<name>`, or joins the one that runs. */
  startRollback(ref: ObjectRef, request: RollbackRequest): Promise<StartedRun>;
  /** True once it ended well, false after `timeoutMs` (it goes on). Throws what it failed with. */
  awaitRollback(run: StartedRun, timeoutMs: number): Promise<boolean>;
}

/** A gateway over a Temporal client. */
export function createLifecycleGateway(client: Client): LifecycleGateway {
  return {
    startCleanup: (ref, trigger) =>
      start(client, lifecycleWorkflows.cleanup, {
        workflowId: cleanupWorkflowId(ref),
        args: [{ ref, trigger } satisfies CleanupInput],
        staticSummary: `Clean up by ${ref.namespace}/${ref.name} (${trigger})`,
        typedSearchAttributes: attributesOf({ namespace: ref.namespace }),
      }),
    startRollback: (ref, request) =>
      start(client, lifecycleWorkflows.rollback, {
        workflowId: rollbackWorkflowId(ref),
        args: [ref, request],
        staticSummary: `Roll back ${ref.namespace}/${ref.name}`,
        typedSearchAttributes: attributesOfRepository(ref, 'rollback'),
      }),
    awaitRollback: (run, timeoutMs) => awaitEnd(client, run, timeoutMs),
    approvePlan: (ref, approval) => update<undefined>(client, ref, 'approvePlan', approval),
    restoreTags: (ref, tags) => update<ParkingSummary>(client, ref, 'restoreTags', tags),
    cancelCleanup: async (ref) =>
      (await engineCall(client, () => client.workflow.getHandle(cleanupWorkflowId(ref)).cancel())) !==
      undefined,
  };
}

interface Start {
  readonly workflowId: string;
  readonly args: readonly unknown[];
  readonly staticSummary: string;
  readonly typedSearchAttributes: ReturnType<typeof attributesOf>;
}

async function start(client: Client, type: string, options: Start): Promise<StartedRun> {
  const { workflowId } = options;
  const started = await engineCall(client, async () => {
    try {
      const handle = await client.workflow.start(type, {
        ...options,
        args: [...options.args],
        taskQueue: hubTaskQueue,
        workflowIdConflictPolicy: 'FAIL',
      });
      return { workflowId, runId: handle.firstExecutionRunId, alreadyRunning: false };
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      const { runId } = await client.workflow.getHandle(workflowId).describe();
      return { workflowId, runId, alreadyRunning: true };
    }
  });
  if (started === undefined) throw new Failure('EngineUnavailable', { side: 'cluster', subject: workflowId });
  return started;
}

async function awaitEnd(client: Client, run: StartedRun, timeoutMs: number): Promise<boolean> {
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const handle = client.workflow.getHandle(run.workflowId, run.runId);
    await client.withAbortSignal(signal, () => handle.result());
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    throw failureOf(error, run.workflowId);
  }
}

/** The failure that a workflow, or the step in it that broke, ended with. */
function failureOf(error: unknown, subject: string): Failure {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const facts = cause instanceof ApplicationFailure ? parseFacts(cause.details?.[0]) : undefined;
    if (facts !== undefined) return new Failure(facts.code, facts);
  }
  return new Failure('EngineUnavailable', { side: 'cluster', subject, cause: error });
}

/** Milliseconds that a decision may take; putting many tags back takes a while. */
const updateTimeoutMs = 120_000;

async function update<T>(client: Client, ref: ObjectRef, name: string, argument: unknown): Promise<T> {
  const workflowId = cleanupWorkflowId(ref);
  try {
    return await client.withDeadline(Date.now() + updateTimeoutMs, () =>
      client.workflow.getHandle(workflowId).executeUpdate<T, [unknown]>(name, { args: [argument] }),
    );
  } catch (error) {
    throw updateFailure(error, workflowId);
  }
}

/** A workflow that is not there, or does not take the update now, is a conflict: nothing waits for it. */
function updateFailure(error: unknown, subject: string): Failure {
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause instanceof ApplicationFailure) {
    const facts = parseFacts(cause.details?.[0]);
    if (facts !== undefined) return new Failure(facts.code, facts);
    return new Failure('Conflict', { side: 'caller', subject, detail: 'nothing waits for it' });
  }
  if (error instanceof WorkflowNotFoundError) {
    return new Failure('Conflict', { side: 'caller', subject, detail: 'no cleanup runs' });
  }
  return new Failure('EngineUnavailable', { side: 'cluster', subject, cause: error });
}
