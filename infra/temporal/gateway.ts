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

/** The newest run of a Repository's sync. Times are RFC 3339 UTC. */
export interface SyncRun {
  readonly workflowId: string;
  readonly runId: string;
  readonly isOpen: boolean;
  readonly trigger: SyncTrigger;
  readonly started: string;
  /** Default: it has not ended. */
  readonly ended?: string;
}

/** How a Schedule is: `note` says why somebody else than this product paused it. */
export interface ScheduleState {
  readonly everyMs: number;
  readonly paused: boolean;
  /** Default: it is paused by the Repository's own spec, or not at all. */
  readonly heldBy?: string;
}

/** Starting and stopping of work, by references only: no credential ever passes here. */
export interface WorkflowGateway {
  /**
   * Starts `sync/<ns>/<name>`, or joins the one that runs. `request` tells apart what is asked for by the same trigger:
   * where the newest run was started for this very request, nothing is started, also when that run has ended. So a
   * request may be repeated until its maker has noted that it was heard. Default: each call is a request of its own.
   * `isWanted` is asked last: where it is not, as another process served the request meanwhile, the newest run is given
   * back; where there is none, as after the Repository was deleted, it throws `Superseded` and nothing is started.
   */
  startSync(
    ref: ObjectRef,
    trigger: SyncTrigger,
    request?: string,
    isWanted?: () => Promise<boolean>,
  ): Promise<StartedRun>;
  /** Tells the sync that runs, if one does, that its Repository was edited. False where none runs. */
  tellEdited(ref: ObjectRef): Promise<boolean>;
  /** The newest run of a sync, open or ended; undefined where there is none that Temporal still knows. */
  newestSync(ref: ObjectRef): Promise<SyncRun | undefined>;
  /** Asks a running sync to stop; resolves at once. False where none runs. `runId`: only this run. */
  cancelSync(ref: ObjectRef, runId?: string): Promise<boolean>;
  /** Creates or updates the Schedule `resync/<ns>/<name>`; one that somebody paused in Temporal stays paused. */
  ensureSchedule(
    ref: ObjectRef,
    schedule: { readonly everyMs: number; readonly paused: boolean },
  ): Promise<ScheduleState>;
  /** Deletes it; a sync that runs is not touched. Does nothing where there is none. */
  deleteSchedule(ref: ObjectRef): Promise<void>;
  /** The Repositories that have a Schedule, deleted ones included, and how it is. May lag a few seconds behind. */
  scheduledRepositories(): Promise<readonly (ScheduleState & { readonly ref: ObjectRef })[]>;
  /** Starts `verify/<ns>/<name>`, or joins the one that runs. */
  startVerify(ref: ObjectRef): Promise<StartedRun>;
  /** Waits for a verification to end; throws `Timeout` after `timeoutMs` (the verification goes on). */
  awaitVerify(run: StartedRun, timeoutMs: number): Promise<VerifyVerdict>;
  /** Starts `batch/<id>`. */
  startBatch(input: BatchInput): Promise<StartedRun>;
  /** Progress of a batch that runs or has ended; undefined where there is none with that id. */
  batchProgress(id: string): Promise<BatchProgress | undefined>;
}
