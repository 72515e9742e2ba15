import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Context } from '@temporalio/activity';
import type { WorkflowHandle } from '@temporalio/client';
import { Failure } from '../../domain/failure.ts';
import { hubTaskQueue, syncWorkflowId } from '../../domain/sync/ids.ts';
import { syncAgainSignal } from '../../domain/sync/input.ts';
import { emptyTally } from '../../domain/sync/tally.ts';
import { playSync } from '../support/play-sync.ts';
import { planOf, report, scene } from '../support/sync-scene.ts';
import { closeLab, workflowLab } from '../support/workflow-lab.ts';

after(closeLab);

/** A copy that goes on until `gate` opens or it is cancelled. */
function longCopy() {
  const [begun, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const ends: string[] = [];
  return {
    begun: begun.promise,
    finish: () => gate.resolve(),
    ends,
    copy: async (): Promise<typeof report> => {
      const context = Context.current();
      const beat = setInterval(() => context.heartbeat(), 100);
      begun.resolve();
      try {
        await Promise.race([gate.promise, context.cancelled]);
        ends.push('finished');
        return report;
      } catch (error) {
        ends.push('cancelled');
        throw error;
      } finally {
        clearInterval(beat);
      }
    },
  };
}

const tellEdit = (handle: WorkflowHandle): Promise<void> => handle.signal(syncAgainSignal, 'spec');

test('an edit of what is wanted calls off the copy under way, and the sync runs again for what is wanted by now', async () => {
  const plan = planOf('elsewhere');
  const first = longCopy();
  let copies = 0;
  const ended: (readonly [string, string, string | undefined])[] = [];
  const stage = scene(plan, {
    stillWanted: async () => false,
    copyImage: async () => ((copies += 1) === 1 ? first.copy() : report),
    recordSync: async ({ run, result, failure }) => {
      ended.push([run.trigger, result, failure?.code]);
      return { changed: ended.length === 1 };
    },
  });
  await playSync('edited', plan, stage, async (handle) => {
    await first.begun;
    await tellEdit(handle);
  });
  assert.deepEqual(first.ends, ['cancelled']);
  assert.deepEqual(ended, [
    ['manual', 'Failed', 'Superseded'],
    ['spec', 'Success', undefined],
  ]);
});

test('an edit of an interval or a description calls nothing off', async () => {
  const plan = planOf('interval');
  const first = longCopy();
  const asked = Promise.withResolvers<void>();
  const stage = scene(plan, {
    stillWanted: async ({ wanted }) => {
      asked.resolve();
      return wanted === plan.claim.wanted;
    },
    copyImage: first.copy,
  });
  await playSync('edited', plan, stage, async (handle) => {
    await first.begun;
    await tellEdit(handle);
    await asked.promise;
    first.finish();
  });
  assert.deepEqual(first.ends, ['finished']);
  assert.deepEqual(
    stage.outcomes.map(({ result }) => result),
    ['Success'],
  );
});

test('a copy goes on where the cluster cannot say whether it is wanted, and a later edit calls it off all the same', async () => {
  const plan = planOf('unsure');
  const first = longCopy();
  const asked = Promise.withResolvers<void>();
  let questions = 0;
  const stage = scene(plan, {
    stillWanted: async () => {
      questions += 1;
      if (questions === 1) {
        asked.resolve();
        throw new Failure('Forbidden', { side: 'cluster' });
      }
      return false;
    },
    copyImage: first.copy,
  });
  await playSync('edited', plan, stage, async (handle) => {
    await first.begun;
    await tellEdit(handle);
    await asked.promise;
    await tellEdit(handle);
  });
  assert.equal(questions, 2);
  assert.deepEqual(
    stage.outcomes.map(({ failure }) => failure?.code),
    ['Superseded'],
  );
});

test('a sync that goes on in a new run, and was edited in between, looks at the tags before that once more', async () => {
  const plan = planOf('between');
  const { ref } = plan.claim;
  const looks: (readonly [string, string | undefined])[] = [];
  const stage = scene(plan, {
    surveyImages: async ({ trigger, after }) => {
      looks.push([trigger, after]);
      return { images: [], total: 0 };
    },
  });
  const lab = await workflowLab();
  const run = async (wanted: string): Promise<unknown> => {
    const started = new Date(await lab.env.currentTimeMs()).toISOString();
    const resume = { started, after: 'v1', tally: emptyTally, wanted };
    const options = { workflowId: syncWorkflowId(ref), taskQueue: hubTaskQueue };
    const args = [{ ref, trigger: 'manual', resume }];
    return lab.env.client.workflow.execute('syncRepository', { ...options, args });
  };
  await lab.run(stage.activities, async () => {
    await run(plan.claim.wanted);
    assert.deepEqual(looks, [['manual', 'v1']]);
    await run('something else');
  });
  assert.deepEqual(looks.slice(1), [
    ['manual', 'v1'],
    ['spec', undefined],
  ]);
});

test('who cancels a sync that was edited meanwhile gets it cancelled', async () => {
  const plan = planOf('both');
  const first = longCopy();
  const stage = scene(plan, { stillWanted: async () => true, copyImage: first.copy });
  await playSync('edited', plan, stage, async (handle) => {
    await first.begun;
    await tellEdit(handle);
    await handle.cancel();
  });
  assert.deepEqual(
    stage.outcomes.map(({ result }) => result),
    ['Cancelled'],
  );
});
