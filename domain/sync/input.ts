import type { ObjectRef } from '../resources/meta.ts';
import type { SyncTrigger } from '../resources/repository.ts';

/** What a sync is started with: references only, never a credential. */
export interface SyncInput {
  readonly ref: ObjectRef;
  readonly trigger: SyncTrigger;
}

/** Workflow types, as clients and schedules name them. */
export const workflowTypes = {
  sync: 'syncRepository',
  resync: 'resync',
  verify: 'verifyRegistry',
  batch: 'batch',
} as const;
