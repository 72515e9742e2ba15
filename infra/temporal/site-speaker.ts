import type { Client } from '@temporalio/client';
import { Failure } from '../../domain/failure.ts';
import { lifecycleWorkflows, siteUsageWorkflowId } from '../../domain/lifecycle/ids.ts';
import { hubTaskQueue } from '../../domain/sync/ids.ts';
import type { SiteSpeaker } from '../kubernetes/usage-clusters.ts';

/** Milliseconds after which no answer is the answer. */
const patienceMs = 90_000;

/** Asks sites through their own workers; who asks while a question is out gets its answer. Throws `UsageUnknown`. */
export function createSiteSpeaker(client: Client): SiteSpeaker {
  return async ({ metadata: { name } }) => {
    const unknown = (detail: string, cause?: unknown): Failure =>
      new Failure('UsageUnknown', { side: 'cluster', subject: `site ${name}`, detail, cause });
    const answer = await ask(client, name).catch((error: unknown) => {
      throw unknown('no answer', error);
    });
    const isList = Array.isArray(answer) && answer.every((text) => typeof text === 'string');
    if (!isList) throw unknown('an answer that is no list of images');
    return { texts: answer };
  };
}

function ask(client: Client, site: string): Promise<unknown> {
  return client.withDeadline(Date.now() + patienceMs + 5000, async () => {
    const handle = await client.workflow.start(lifecycleWorkflows.siteUsage, {
      workflowId: siteUsageWorkflowId(site),
      taskQueue: hubTaskQueue,
      args: [site],
      workflowExecutionTimeout: patienceMs,
      workflowIdConflictPolicy: 'USE_EXISTING',
      staticSummary: `What the Pods at site ${site} use`,
    });
    return handle.result() as Promise<unknown>;
  });
}
