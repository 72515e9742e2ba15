import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { hubTaskQueue, syncWorkflowId } from '../../../domain/sync/ids.ts';
import { createWorkflowGateway } from '../../../infra/temporal/workflow-gateway.ts';
import { closeLab, workflowLab } from '../../support/workflow-lab.ts';

after(closeLab);
const unwanted = async (): Promise<boolean> => false;

test('a sync that is wanted no more is not started where none ever ran', async () => {
  const { client } = (await workflowLab()).env;
  const gateway = createWorkflowGateway(client);
  const ref = { namespace: 'shop', name: 'gone' };
  await assert.rejects(gateway.startSync(ref, 'create', undefined, unwanted), { code: 'Superseded' });
  assert.equal(await gateway.newestSync(ref), undefined);
});

test('a sync that is wanted no more is answered with the run that somebody else started', async () => {
  const { client } = (await workflowLab()).env;
  const gateway = createWorkflowGateway(client);
  const ref = { namespace: 'shop', name: 'served' };
  const workflowId = syncWorkflowId(ref);
  const { firstExecutionRunId } = await client.workflow.start('none', {
    workflowId,
    taskQueue: hubTaskQueue,
  });
  const run = await gateway.startSync(ref, 'create', undefined, unwanted);
  assert.deepEqual([run.workflowId, run.runId, run.alreadyRunning], [workflowId, firstExecutionRunId, true]);
  await client.workflow.getHandle(workflowId).terminate();
});
