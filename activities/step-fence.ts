import { activityInfo } from '@temporalio/activity';
import { Failure } from '../domain/failure.ts';
import type { RunFence } from '../infra/temporal/run-fence.ts';

/**
 * Asked right before a step changes what is at a site. Throws `Superseded` where another worker took the step over, as it
 * does from one that was frozen (fault G06). `subject` is for people.
 */
export async function requireCurrentTry(fence: RunFence, subject: string): Promise<void> {
  const { workflowExecution, activityId, attempt } = activityInfo();
  if (workflowExecution === undefined) return;
  if (await fence.isCurrent({ ...workflowExecution, activityId, attempt })) return;
  throw new Failure('Superseded', { subject, detail: 'another worker took over' });
}
