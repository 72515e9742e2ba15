import { facts, type FailureFacts } from '../sync/failure-facts.ts';
import type { PlanSummary } from './cleanup-run.ts';

/** How a plan is approved. */
export interface Approval {
  readonly hash: string;
  /** The API asks for the right to delete in each namespace; an annotation only shows who may edit the policy. */
  readonly by: 'api' | 'annotation';
}

/** Why an approval does not count; undefined where it does. Only exactly the plan that waits can be approved. */
export function judgeApproval(plan: PlanSummary, approval: Approval): FailureFacts | undefined {
  if (approval.hash !== plan.hash) {
    return facts('PlanChanged', { side: 'caller', detail: `the plan that waits is ${plan.hash}` });
  }
  if (approval.by === 'api' || plan.beyond.length === 0) return undefined;
  const detail = `it reaches into ${plan.beyond.join(', ')}; approve it by the API`;
  return facts('AccessDenied', { side: 'caller', detail });
}
