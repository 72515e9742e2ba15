import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KillRun } from '../support/faults/kill-run.ts';

test(
  'G02 F20 25 kills of real copies at random moments leave no broken tag, and every rerun converges',
  { timeout: 300_000 },
  async () => {
    const run = await KillRun.start();
    try {
      const report = await run.kill(25, 4);
      assert.deepEqual(
        { brokenTags: report.brokenTags, corrupt: report.corrupt, stuck: report.stuck },
        { brokenTags: [], corrupt: [], stuck: [] },
      );
      assert.ok(report.amid >= 5, `${report.amid} of ${report.kills} kills hit the copy itself`);
      assert.ok(report.completed >= 5);
    } finally {
      await run.stop();
    }
  },
);
