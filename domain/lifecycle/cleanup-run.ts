import { parseDuration } from '../duration.ts';
import type { ImageCleanupPolicySpec } from '../resources/image-cleanup-policy.ts';
import type { ObjectRef } from '../resources/meta.ts';
import type { ParkedItem } from './parking.ts';
import { approvalSuffices, deletions, planHolds, type CleanupPlan, type PlanHold } from './plan.ts';

/** What a cleanup is started with. */
export interface CleanupInput {
  readonly ref: ObjectRef;
  readonly trigger: 'schedule' | 'manual';
}

/** A plan in few words: what lies in a workflow's history. The plan itself is a document. */
export interface PlanSummary {
  readonly hash: string;
  readonly looked: number;
  readonly kept: number;
  readonly deletions: number;
  readonly bytes: number;
  readonly holds: readonly PlanHold[];
  /** `nothing` to delete or `dry` run: done. `held`: the cause of a hold has to go first. `approve`: wait. `run`: go on. */
  readonly next: 'nothing' | 'dry' | 'held' | 'approve' | 'run';
  /** Namespaces beyond the policy's own whose deleters have to approve. */
  readonly beyond: readonly string[];
  /** Milliseconds that tags stay parked. */
  readonly graceMs: number;
}

/** A plan, what became of it, and its hash: the document that the API shows. */
export interface PlanRecord {
  readonly hash: string;
  readonly plan: CleanupPlan;
  readonly holds: readonly PlanHold[];
  /** One for each deletion once the plan was approved. */
  readonly items: readonly ParkedItem[];
}

/** How long tags stay parked where the policy does not say. */
export const defaultGrace = '24h';
/** Holds that a history carries; the document has them all. */
const shownHolds = 20;

/** Says what happens to a plan next. */
export function summarizePlan(
  plan: CleanupPlan,
  hash: string,
  spec: ImageCleanupPolicySpec,
  beyond: readonly string[],
): PlanSummary {
  const going = deletions(plan);
  const holds = planHolds(plan);
  return {
    hash,
    looked: plan.items.length,
    kept: plan.items.length - going.length,
    deletions: going.length,
    bytes: going.reduce((total, { bytes }) => total + bytes, 0),
    holds: holds.slice(0, shownHolds),
    next: nextStep(going.length, holds, spec, beyond),
    beyond,
    graceMs: parseDuration(spec.gracePeriod ?? defaultGrace),
  };
}

function nextStep(
  going: number,
  holds: readonly PlanHold[],
  spec: ImageCleanupPolicySpec,
  beyond: readonly string[],
): PlanSummary['next'] {
  if (!approvalSuffices(holds)) return 'held';
  if (going === 0) return 'nothing';
  if (spec.dryRun === true) return 'dry';
  const guarded = holds.some(({ code }) => code === 'DeleteGuard');
  return spec.requireApproval === true || guarded || beyond.length > 0 ? 'approve' : 'run';
}
