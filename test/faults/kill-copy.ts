/**
 * Kills `imageferry copy` between two real registries with SIGKILL at random moments, a thousand times by default, and
 * shows what that led to. Not part of `npm test` (which does it 25 times): `node test/faults/kill-copy.ts --kills 1000`.
 */
import { parseArgs } from 'node:util';
import { KillRun, type KillReport } from '../support/faults/kill-run.ts';

const { values } = parseArgs({
  options: { kills: { type: 'string', default: '1000' }, lanes: { type: 'string', default: '4' } },
});

const say = (report: KillReport): void => {
  const { kills, amid, completed, brokenTags, corrupt, stuck } = report;
  const bad = `${brokenTags.length} broken tags, ${corrupt.length} corrupt images, ${stuck.length} not converged`;
  process.stdout.write(`${kills} kills (${amid} amid the copy), ${completed} images completed; ${bad}\n`);
};

const run = await KillRun.start();
let told = 0;
try {
  const report = await run.kill(Number(values.kills), Number(values.lanes), (now) => {
    if (now.kills - told < 50) return;
    told = now.kills;
    say(now);
  });
  say(report);
  for (const problem of [...report.brokenTags, ...report.corrupt, ...report.stuck])
    process.stdout.write(`${problem}\n`);
  process.exitCode = report.brokenTags.length + report.corrupt.length + report.stuck.length === 0 ? 0 : 1;
} finally {
  await run.stop();
}
