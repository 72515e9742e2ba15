import type { ObjectRef } from '../resources/meta.ts';
import type { SyncTrigger } from '../resources/repository.ts';
import type { SurveyedImage } from './survey.ts';
import type { Tally } from './tally.ts';

/** What a sync is started with: references only, never a credential. */
export interface SyncInput {
  readonly ref: ObjectRef;
  readonly trigger: SyncTrigger;
  /** Whether it is likely that there is nothing to do, so that one step looks and ends. Default: false. */
  readonly looksFirst?: boolean;
  /** Where a sync of very many tags goes on whose history grew long. Default: at the beginning. */
  readonly resume?: SyncResume;
}

/** How far a sync of many tags got. */
export interface SyncResume {
  /** RFC 3339 UTC: when the whole sync began. */
  readonly started: string;
  readonly after: string;
  /** Id of the run in which it began. Default: not known. */
  readonly begun?: string;
  readonly tally: Tally;
  /** The image that `status.manifest` will be about, where it was seen. */
  readonly first?: Pick<SurveyedImage, 'tag' | 'root'>;
  /** Milliseconds that were waited for sites that took no work. Default: 0. */
  readonly givenBackMs?: number;
  /** What was wanted while it went so far, as in a plan's claim. Default: not known. */
  readonly wanted?: string;
  /** Somebody asked meanwhile for one more run. Default: nobody. */
  readonly again?: SyncTrigger;
}

/** Workflow types, as clients and schedules name them. */
export const workflowTypes = {
  sync: 'syncRepository',
  resync: 'resync',
  verify: 'verifyRegistry',
  batch: 'batch',
} as const;

/** Signal by which a running sync is asked to run once more after it ends; its arguments are the trigger, and the request where it has a name. */
export const syncAgainSignal = 'syncAgain';
/** Memo of a run that says for which request it was started. */
export const requestMemo = 'request';
/** Query for {@link SyncProgress}. */
export const progressQuery = 'progress';

/** What the query `progress` answers. */
export interface SyncProgress {
  readonly phase: 'planning' | 'comparing' | 'copying' | 'describing' | 'recording' | 'waiting';
  /** Images looked at so far, and in all where known. */
  readonly images: number;
  readonly totalImages?: number;
  /** Copies to sites finished and begun so far. */
  readonly copiesDone: number;
  readonly copies: number;
}

/** How a sync ended, as its workflow returns it. */
export interface SyncReport {
  readonly result: 'Success' | 'Unchanged' | 'Gone' | 'Waiting';
  readonly images: number;
  readonly changed: number;
  readonly digest?: string;
  readonly bytesMoved: number;
  readonly bytesReused: number;
}
