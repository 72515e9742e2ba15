import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { BatchActivities } from '../../activities/batch.ts';
import type { BatchItem, BatchProgress } from '../../domain/batch/operation.ts';
import { Failure } from '../../domain/failure.ts';
import { hubTaskQueue } from '../../domain/sync/ids.ts';
import { silent } from '../support/silent-steps.ts';
import { closeLab, testServer, workflowLab } from '../support/workflow-lab.ts';

after(closeLab);
const options = { skip: testServer === undefined ? 'TEMPORAL_TEST_SERVER is not set' : false };

test(
  'an item that fails, and one that hangs in all its tries, stop no other item of a batch',
  options,
  async () => {
    const lab = await workflowLab();
    const names = ['first', silent, 'refused', 'last'];
    const items = names.map((name, index): BatchItem => ({
      index,
      namespace: 'default',
      name,
      operation: 'sync',
      resource: 'repositories',
    }));
    const activities: BatchActivities = {
      runBatchItem: async ({ name }) => {
        if (name === 'refused') throw new Failure('NotFound', { side: 'caller' });
      },
    };
    const interceptors = [fileURLToPath(import.meta.resolve('../support/silent-steps.ts'))];
    const run = () =>
      lab.env.client.workflow.execute<(input: object) => Promise<BatchProgress>>('batch', {
        workflowId: 'batch/b',
        taskQueue: hubTaskQueue,
        args: [{ id: 'b', requestedBy: 'alice', items }],
      });
    const { results, done, failed, finished } = await lab.run(activities, run, interceptors);
    assert.deepEqual([done, failed, finished], [2, 2, true]);
    assert.deepEqual(
      results.map(({ name, result, reason }) => [name, result, reason]),
      [
        ['first', 'Done', undefined],
        [silent, 'Failed', 'Timeout'],
        ['refused', 'Failed', 'NotFound'],
        ['last', 'Done', undefined],
      ],
    );
  },
);
