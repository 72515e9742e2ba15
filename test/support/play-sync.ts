import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { hubTaskQueue, syncWorkflowId } from '../../domain/sync/ids.ts';
import type { SyncPlan } from '../../domain/sync/plan.ts';
import { withoutPlaces } from './history-places.ts';
import type { Scene } from './sync-scene.ts';
import { workflowLab } from './workflow-lab.ts';

const recorded = process.env['IMAGEFERRY_RECORD_HISTORIES'];

/**
 * A sync in the lab from its start to its end, whatever that is; `meanwhile` is done while it runs. With
 * `IMAGEFERRY_RECORD_HISTORIES=lab` the history of its first run is kept for replays, as `lab-KIND-NAME.json`.
 */
export async function playSync(
  kind: string,
  plan: SyncPlan,
  stage: Scene,
  meanwhile?: (handle: WorkflowHandle) => Promise<void>,
): Promise<void> {
  const lab = await workflowLab();
  const { ref } = plan.claim;
  await lab.run(stage.activities, async () => {
    const handle = await lab.env.client.workflow.start('syncRepository', {
      workflowId: syncWorkflowId(ref),
      taskQueue: hubTaskQueue,
      args: [{ ref, trigger: 'manual' }],
    });
    await meanwhile?.(handle);
    await handle.result().catch(() => undefined);
    if (recorded === undefined) return;
    const first = lab.env.client.workflow.getHandle(handle.workflowId, handle.firstExecutionRunId);
    const path = join(import.meta.dirname, '../replay/histories', `${recorded}-${kind}-${ref.name}.json`);
    writeFileSync(path, withoutPlaces(historyToJSON(await first.fetchHistory())));
  });
}
