import {
  createParkingActivities,
  createPlanningActivities,
  type ParkingActivities,
  type PlanningActivities,
} from './cleanup.ts';
import type { ParkingDependencies } from './cleanup-dependencies.ts';
import { createRollbackActivities, type RollbackActivities, type RollbackDependencies } from './rollback.ts';
import { createScrubActivities, type ScrubActivities } from './scrub.ts';

/** Everything that the lifecycle's steps are handed. */
export type LifecycleDependencies = ParkingDependencies & RollbackDependencies;

/** All steps of the lifecycle, for the hub's queue. */
export function createLifecycleActivities(
  deps: LifecycleDependencies,
): PlanningActivities & ParkingActivities & RollbackActivities & ScrubActivities {
  // Planning gets no means to delete, whatever is at hand here.
  const { parking: _, ...planning } = deps;
  return {
    ...createPlanningActivities(planning),
    ...createParkingActivities(deps),
    ...createRollbackActivities(deps),
    ...createScrubActivities(deps),
  };
}
