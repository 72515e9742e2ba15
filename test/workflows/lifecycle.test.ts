import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { Worker } from '@temporalio/worker';
import { Failure } from '../../domain/failure.ts';
import { hubTaskQueue, siteTaskQueue, syncWorkflowId } from '../../domain/sync/ids.ts';
import { withoutPlaces } from '../support/history-places.ts';
import { foundBy } from '../support/found-by.ts';
import { digest, planOf, scene } from '../support/sync-scene.ts';
import { closeLab, testServer, workflowLab } from '../support/workflow-lab.ts';

after(closeLab);
const options = { skip: testServer === undefined ? 'TEMPORAL_TEST_SERVER is not set' : false };
const recorded = process.env['IMAGEFERRY_RECORD_HISTORIES'];

interface Played {
  readonly result: unknown;
  readonly calls: readonly string[];
}

/** Plays a workflow with activities that note their names; `IMAGEFERRY_RECORD_HISTORIES=1` keeps its history for replays. */
async function play(
  type: string,
  args: readonly unknown[],
  activities: Readonly<Record<string, (...list: never[]) => unknown>>,
  workflowId = `${type}-${Math.random()}`,
): Promise<Played> {
  const lab = await workflowLab();
  const calls: string[] = [];
  const noted = Object.fromEntries(
    Object.entries(activities).map(([name, activity]) => [
      name,
      (...list: never[]) => {
        calls.push(name);
        return activity(...list);
      },
    ]),
  );
  return lab.run(noted, async () => {
    const { workflow } = lab.env.client;
    const handle = await workflow.start(type, { workflowId, taskQueue: hubTaskQueue, args: [...args] });
    const result = await handle.result().catch((error: unknown) => error);
    if (recorded !== undefined) {
      const path = join(import.meta.dirname, '../replay/histories', `${recorded}-${type}.json`);
      writeFileSync(path, withoutPlaces(historyToJSON(await handle.fetchHistory())));
    }
    return { result, calls };
  });
}

const codeOf = (error: unknown): string | null | undefined => {
  assert.ok(error instanceof WorkflowFailedError && error.cause instanceof ApplicationFailure, String(error));
  return error.cause.type;
};

const plain = (plan: ReturnType<typeof planOf>) =>
  scene(plan).activities as unknown as Record<string, (...list: never[]) => unknown>;

test(
  'a rollback finds the content everywhere, fences, moves every site, tells, and lets a sync write it down',
  options,
  async () => {
    const plan = planOf('back');
    const { ref } = plan.claim;
    const sites = ['north', 'south'].map((site) => ({ site, from: 'site' }));
    const { calls, result } = await play('rollback', [ref, {}], {
      ...plain(plan),
      planRollback: async () => ({ tag: 'v1', to: digest, ref, uid: 'u', sites }),
      fenceTag: async () => {},
      rollBackSite: async () => {},
      reportRollback: async () => {},
    });
    assert.deepEqual((result as { sites: unknown }).sites, sites);
    assert.deepEqual(calls.slice(0, 5), [
      'planRollback',
      'fenceTag',
      'rollBackSite',
      'rollBackSite',
      'reportRollback',
    ]);
    assert.deepEqual(calls.slice(5, 7), ['planSync', 'beginSync']);
    assert.deepEqual(await foundBy(ref), {
      namespace: ref.namespace,
      repository: ref.name,
      trigger: 'rollback',
    });
  },
);

test('a rollback ends only after a sync that began after it, whichever runs already', options, async () => {
  const plan = planOf('busy');
  const { ref } = plan.claim;
  const good = plain(plan);
  let rolledBack: () => void = () => {};
  const isRolledBack = new Promise<void>((resolve) => (rolledBack = resolve));
  const start = {
    workflowId: syncWorkflowId(ref),
    taskQueue: hubTaskQueue,
    args: [{ ref, trigger: 'schedule' }],
  };
  const { calls } = await play('rollback', [ref, {}], {
    ...good,
    planRollback: async () => {
      await (await workflowLab()).env.client.workflow.start('syncRepository', start);
      return { tag: 'v1', to: digest, ref, uid: 'u', sites: [] };
    },
    fenceTag: async () => {},
    // The sync that runs already began before the tag was moved, and is still at it afterwards.
    surveyImages: async (...args: never[]) => {
      await isRolledBack;
      return good['surveyImages']?.(...args);
    },
    reportRollback: async () => {
      setTimeout(rolledBack, 1500);
    },
  });
  const told = calls.filter((name) => ['planSync', 'reportRollback', 'recordSync'].includes(name));
  assert.deepEqual(told, ['planSync', 'reportRollback', 'recordSync', 'planSync', 'recordSync']);
});

for (const [what, code] of [
  ['content that is nowhere', 'RollbackTargetMissing'],
  ['content that nobody signed', 'SignatureRequired'],
  ['content that a stranger signed', 'SignatureInvalid'],
] as const)
  test(`G13 a rollback to ${what} fences nothing, asks once, and says why`, options, async () => {
    const { ref } = planOf('gone').claim;
    const told: unknown[] = [];
    const { calls, result } = await play('rollback', [ref, {}], {
      planRollback: async () => {
        throw new Failure(code, { side: 'destination' });
      },
      reportRollback: async (_ref: unknown, outcome: { failure?: { code: string } }) => {
        told.push(outcome.failure?.code);
      },
    });
    assert.equal(codeOf(result), code);
    assert.deepEqual([told, calls], [[code], ['planRollback', 'reportRollback']]);
  });

test(
  'I08 a scrub heals what is damaged by a repair sync and looks again; one that cannot be asked stops nobody',
  options,
  async () => {
    const plan = planOf('damaged');
    const refs = [
      { namespace: 'default', name: 'silent' },
      plan.claim.ref,
      { namespace: 'default', name: 'well' },
    ];
    const damage = new Map([['damaged', [1, 0]]]);
    const { calls } = await play('scrub', [], {
      ...plain(plan),
      listScrubbed: async () => ({ refs }),
      scrubRepository: async ({ name }: { name: string }) => {
        if (name === 'silent') throw ApplicationFailure.nonRetryable('silent', 'Forbidden');
        return damage.get(name)?.shift() ?? 0;
      },
    });
    assert.equal(calls.filter((name) => name === 'scrubRepository').length, 4);
    assert.equal(calls.filter((name) => name === 'copyImage').length, 1, 'the repair');
  },
);

test(
  'a sync with prune takes vanished tags away after it ended well; what holds that back fails nothing',
  options,
  async () => {
    for (const held of [false, true]) {
      const plan = planOf(`prune-${held}`, { selects: true, prunes: true });
      const { ref } = plan.claim;
      const activities = {
        ...plain(plan),
        pruneVanished: async () => {
          if (held) throw ApplicationFailure.nonRetryable('held', 'DeleteGuard');
          return 1;
        },
      };
      const input = { ref, trigger: 'manual' };
      const { calls, result } = await play('syncRepository', [input], activities, syncWorkflowId(ref));
      assert.equal((result as { result: string }).result, 'Success');
      assert.deepEqual(calls.slice(-2), ['recordSync', 'pruneVanished']);
    }
  },
);

test(
  'a sync of very many tags goes through a window of pages that overlap, and describes its primary image',
  options,
  async () => {
    const plan = planOf('window', { selects: true, tag: '75' });
    const good = plain(plan);
    const images = Array.from({ length: 100 }, (_, index) => String(index).padStart(2, '0'));
    const { calls, result } = await play(
      'syncRepository',
      [{ ref: plan.claim.ref, trigger: 'manual' }],
      {
        ...good,
        surveyImages: async ({ after }: { after?: string }) => {
          const page = images.filter((tag) => after === undefined || tag > after).slice(0, 20);
          const last = page.at(-1) ?? '';
          const root = { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest, size: 500 };
          const found = page.map((tag) => ({ tag, root, current: [], needed: ['edge'] }));
          return { images: found, total: 100, unchanged: 3, ...(last === '99' ? {} : { next: last }) };
        },
      },
      syncWorkflowId(plan.claim.ref),
    );
    const report = result as { images: number; changed: number };
    assert.deepEqual([report.images, report.changed], [115, 100]);
    const [second, third] = calls.flatMap((name, index) => (name === 'surveyImages' ? [index] : [])).slice(1);
    assert.ok(
      (second ?? 0) < 25 && (third ?? 99) < 45,
      'the next page is asked for before the page before has ended',
    );
    assert.ok(calls.includes('describeImage'));
  },
);

test('a site is asked on its own queue what it uses', options, async () => {
  const lab = await workflowLab();
  const worker = await Worker.create({
    connection: lab.env.nativeConnection,
    taskQueue: siteTaskQueue('near'),
    activities: { siteImages: async () => ['app:1'] },
  });
  const { result } = await worker.runUntil(play('siteUsage', ['near'], { recordUsage: async () => {} }));
  assert.deepEqual(result, ['app:1']);
});

test('a site that does not take the question leaves it open, and the run ends', options, async () => {
  const { result } = await play('siteUsage', ['away'], { recordUsage: async () => {} });
  assert.ok(result instanceof WorkflowFailedError, String(result));
});

for (const [type, activities] of [
  ['recordUsage', { recordUsage: async () => {} }],
  ['collectBundles', { collectBundles: async () => ({ held: [] }) }],
  ['takeSiteMail', { takeSiteMail: async () => ({ taken: 3 }) }],
] as const) {
  test(`${type} is one step, and hands nothing on to the next run`, options, async () => {
    const { calls, result } = await play(type, [], activities);
    assert.deepEqual([calls, result], [[type], undefined]);
  });
}

test(
  'storage is added up, and what was written down about what is gone is taken away after it',
  options,
  async () => {
    const { calls, result } = await play('measureStorage', [], {
      measureStorage: async () => 7,
      sweepDocuments: async () => 2,
    });
    assert.deepEqual([calls, result], [['measureStorage', 'sweepDocuments'], undefined]);
  },
);

test('a scrub that is cancelled ends, and goes on to no other page', options, async () => {
  const lab = await workflowLab();
  const [begun, over] = [Promise.withResolvers<void>(), Promise.withResolvers<number>()];
  const pages: unknown[] = [];
  const activities = {
    listScrubbed: async (after?: string) => {
      pages.push(after);
      const refs = [{ namespace: 'default', name: 'slow' }];
      return after === undefined ? { refs, next: 'default/slow' } : { refs: [] };
    },
    scrubRepository: () => {
      begun.resolve();
      return over.promise;
    },
  };
  await lab.run(activities, async () => {
    const handle = await lab.env.client.workflow.start('scrub', {
      workflowId: 'scrub',
      taskQueue: hubTaskQueue,
    });
    await begun.promise;
    await handle.cancel();
    const result = handle.result();
    const isCancelled = (error: Error): boolean => error.cause instanceof CancelledFailure;
    await assert.rejects(result, isCancelled).finally(() => over.resolve(0));
  });
  assert.deepEqual(pages, [undefined]);
});
