import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import type { WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { workflowsPath } from '../support/workflow-lab.ts';

const folder = join(import.meta.dirname, 'histories');
const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
const histories = readdirSync(folder);
let workflowBundle: WorkflowBundleWithSourceMap;

before(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  workflowBundle = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('ERROR') });
});

for (const name of histories) {
  test(`${name} still replays`, async () => {
    await Worker.runReplayHistory({ workflowBundle }, historyFromJSON(JSON.parse(read(name))), 'replayed');
  });
}

test('N10: a history that the code would not make is noticed', async () => {
  const other = read('first-sync.json').replaceAll('surveyImages', 'somethingElse');
  const replay = Worker.runReplayHistory({ workflowBundle }, historyFromJSON(JSON.parse(other)), 'replayed');
  await assert.rejects(replay, /[Nn]ondeterminism/);
});
