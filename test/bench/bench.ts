import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { warmUp } from './bench-case.ts';
import { breakCases } from './break-cases.ts';
import { bundleCase } from './bundle.ts';
import { smoothCases } from './cases.ts';
import { durableCases } from './durable-case.ts';
import { Ground } from './ground.ts';
import { installPeers } from './peers.ts';
import { resultText, type CaseResult } from './result.ts';

/**
 * `npm run bench -- [case…] [--repetitions N] [--scale S] [--json FILE]`: measures the command beside its peers, each in
 * turn on new registries, and checks the goals. See docs/benchmarks.md.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    repetitions: { type: 'string', default: '3' },
    scale: { type: 'string', default: '1' },
    json: { type: 'string' },
  },
});
const cases = [...smoothCases, ...breakCases, ...durableCases, bundleCase];
const wanted = cases.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
if (wanted.length === 0)
  throw new Error(`no such case; there are ${cases.map(({ name }) => name).join(', ')}`);

const peers = await installPeers();
const ground = await Ground.open();
const bench = { ground, peers, repetitions: Number(values.repetitions), scale: Number(values.scale) };
const results: CaseResult[] = [];
try {
  await warmUp(bench);
  for (const each of wanted) {
    const result = await each.run(bench);
    for (const part of [result].flat()) {
      results.push(part);
      console.log(resultText(part));
    }
  }
} finally {
  await ground.close();
}
if (values.json !== undefined) {
  const machine = { cpus: cpus().length, model: cpus()[0]?.model, node: process.version };
  const slim = results.map((result) => ({
    ...result,
    sides: result.sides.map((side) => ({
      ...side,
      runs: side.runs.map(({ output: _output, ...run }) => run),
    })),
  }));
  writeFileSync(
    values.json,
    `${JSON.stringify({ machine, scale: Number(values.scale), results: slim }, null, 2)}\n`,
  );
}
const missed = results.flatMap((result) =>
  result.checks.filter((check) => !check.met).map((check) => `${result.name}: ${check.what}`),
);
console.log(missed.length === 0 ? '\nAll goals met.' : `\nMissed:\n${missed.join('\n')}`);
