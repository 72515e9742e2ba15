import {
  createParkingActivities,
  createPlanningActivities,
  type ParkingActivities,
  type PlanningActivities,
} from './cleanup.ts';
import type { ParkingDependencies } from './cleanup-dependencies.ts';
import { createRollbackActivities, type RollbackActivities, type RollbackDependencies } from './rollback.ts';
import { createScrubActivities, type ScrubActivities } from './scrub.ts';
import { createSweepActivities, type SweepActivities, type SweepDependencies } from './sweep-documents.ts';

/** Everything that the lifecycle's steps are handed. */
export type LifecycleDependencies = ParkingDependencies & RollbackDependencies & SweepDependencies;

/** All steps of the lifecycle, for the hub's queue. */
export function createLifecycleActivities(
  deps: LifecycleDependencies,
): PlanningActivities & ParkingActivities & RollbackActivities & ScrubActivities & SweepActivities {
  // Planning gets no means to delete, whatever is at hand here.
  const { parking: _, stored: __, ...planning } = deps;
  return {
    ...createPlanningActivities(planning),
    ...createParkingActivities(deps),
    ...createRollbackActivities(deps),
    ...createScrubActivities(deps),
    ...createSweepActivities(deps),
  };
}
