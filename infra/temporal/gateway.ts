import type { BatchInput, BatchProgress } from '../../domain/batch/operation.ts';
import type { FailureCode } from '../../domain/failure.ts';
import type { ObjectRef } from '../../domain/resources/meta.ts';
import type { SyncTrigger } from '../../domain/resources/repository.ts';

/** A workflow that was started, or that was running already. */
export interface StartedRun {
  readonly workflowId: string;
  readonly runId: string;
  readonly alreadyRunning: boolean;
}

/** How a verification ended. A registry that refuses is a verdict, not an error. */
export interface VerifyVerdict {
  readonly success: boolean;
  /** Why not. */
  readonly reason?: FailureCode;
  /** One more fact in plain English, without secrets. Default: none. */
  readonly detail?: string;
}

/** Starting and stopping of work, by references only: no credential ever passes here. */
export interface WorkflowGateway {
  /** Starts `sync/<ns>/<name>`, or joins the one that runs. */
  startSync(ref: ObjectRef, trigger: SyncTrigger): Promise<StartedRun>;
  /** Asks a running sync to stop; resolves at once. False where none runs. */
  cancelSync(ref: ObjectRef): Promise<boolean>;
  /** Creates or updates the Schedule `resync/<ns>/<name>`. */
  ensureSchedule(
    ref: ObjectRef,
    schedule: { readonly everyMs: number; readonly paused: boolean },
  ): Promise<void>;
  deleteSchedule(ref: ObjectRef): Promise<void>;
  /** The Repositories that have a Schedule, deleted ones included. */
  scheduledRepositories(): Promise<readonly ObjectRef[]>;
  /** Starts `verify/<ns>/<name>`, or joins the one that runs. */
  startVerify(ref: ObjectRef): Promise<StartedRun>;
  /** Waits for a verification to end; throws `Timeout` after `timeoutMs` (the verification goes on). */
  awaitVerify(run: StartedRun, timeoutMs: number): Promise<VerifyVerdict>;
  /** Starts `batch/<id>`. */
  startBatch(input: BatchInput): Promise<StartedRun>;
  /** Progress of a batch that runs or has ended; undefined where there is none with that id. */
  batchProgress(id: string): Promise<BatchProgress | undefined>;
}
