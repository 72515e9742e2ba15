import type { CleanupReport } from '../domain/lifecycle/cleanup-status.ts';
import type { PlanSummary } from '../domain/lifecycle/cleanup-run.ts';
import type { SiteGarbage } from '../domain/lifecycle/garbage.ts';
import type { ParkingSummary } from '../domain/lifecycle/parking.ts';
import type { ObjectRef } from '../domain/resources/meta.ts';
import type { ParkingDependencies, PlanningDependencies } from './cleanup-dependencies.ts';
import { planCleanup } from './cleanup-plan.ts';
import type { PlanOrder } from './cleanup-record.ts';
import { reportCleanup } from './cleanup-report.ts';
import { restoreLeftovers, restoreParked, restoreUsed } from './cleanup-restore.ts';
import { deleteParked, parkPlan } from './cleanup-run.ts';
import { collectGarbage } from './garbage.ts';
import { pruneVanished } from './prune.ts';
import { measureStorage } from './storage.ts';
import { recordUsage } from './usage.ts';

/** The steps of a cleanup that change nothing at a site. */
export interface PlanningActivities {
  planCleanup(ref: ObjectRef): Promise<PlanSummary>;
  reportCleanup(ref: ObjectRef, report: CleanupReport): Promise<void>;
  recordUsage(): Promise<void>;
  /** How many images there are. */
  measureStorage(): Promise<number>;
}

/** The steps that take tags away, by an approved plan only, and put them back. */
export interface ParkingActivities {
  parkPlan(order: PlanOrder): Promise<ParkingSummary>;
  restoreParked(order: PlanOrder & { readonly tags: readonly string[] }): Promise<ParkingSummary>;
  restoreLeftovers(ref: ObjectRef): Promise<void>;
  restoreUsed(order: PlanOrder): Promise<ParkingSummary>;
  deleteParked(order: PlanOrder): Promise<ParkingSummary>;
  /** Asks the registries for a garbage collection, where they let us. */
  collectGarbage(order: PlanOrder): Promise<readonly SiteGarbage[]>;
  /** How many tags went. */
  pruneVanished(ref: ObjectRef): Promise<number>;
}

/** Binds the steps that change nothing. */
export function createPlanningActivities(deps: PlanningDependencies): PlanningActivities {
  return {
    planCleanup: (ref) => planCleanup(deps, ref),
    reportCleanup: (ref, report) => reportCleanup(deps, ref, report),
    measureStorage: () => measureStorage(deps),
    recordUsage: async () => void (await recordUsage(deps)),
  };
}

/** Binds the steps that take tags away and put them back. */
export function createParkingActivities(deps: ParkingDependencies): ParkingActivities {
  return {
    parkPlan: (order) => parkPlan(deps, order),
    restoreParked: (order) => restoreParked(deps, order),
    restoreLeftovers: (ref) => restoreLeftovers(deps, ref),
    restoreUsed: (order) => restoreUsed(deps, order),
    pruneVanished: (ref) => pruneVanished(deps, ref),
    deleteParked: (order) => deleteParked(deps, order),
    collectGarbage: (order) => collectGarbage(deps, order),
  };
}
