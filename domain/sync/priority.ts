import type { SyncTrigger } from '../resources/repository.ts';

/**
 * Where work waits for a worker, 1 is served first. People wait for what they asked for; a change of a site or a schedule
 * may be about ten thousand Repositories at once, and must not stand before them.
 */
export const priorityOf = (trigger: SyncTrigger): { readonly priorityKey: number } => ({
  priorityKey: keys[trigger],
});

const keys: Readonly<Record<SyncTrigger, number>> = {
  urgent: 2,
  manual: 2,
  rollback: 2,
  create: 3,
  spec: 3,
  batch: 3,
  repair: 3,
  resumed: 3,
  site: 4,
  schedule: 4,
};
