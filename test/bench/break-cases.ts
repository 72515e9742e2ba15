import { largeBytes, sourceOf, type Bench, type Case } from './bench-case.ts';
import { contest } from './contest.ts';
import { serveGeneratedLayer } from './generated-layer.ts';
import { incomplete } from './ground.ts';
import { measure, type Measured } from './measure.ts';
import { regctlEnv } from './peers.ts';
import { limitCheck, ratioCheck, type CaseResult, type Check } from './result.ts';
import { seedOneLayer } from './seed.ts';
import { imageSides, ours, type Place, type Side } from './sides.ts';

const text = ({ domain, path }: Place): string => `${domain}/${path}`;

async function killed(bench: Bench): Promise<CaseResult> {
  const source = sourceOf(bench, 'killed/layer');
  const size = largeBytes(bench);
  await seedOneLayer(source.domain, source.path, size);
  const target = { domain: (await bench.ground.freshTarget()).domain, path: 'copy/killed' };
  const link = await bench.ground.link(target.domain);
  const side = ours(bench.ground.folder, 'copy', `${text(source)}:v1`, `${link.domain}/${target.path}`);
  const killedAt = await measure(side.argv, {
    env: side.env ?? {},
    after: { ms: 50, act: (pid) => killWhen(pid, () => link.sent > size * 0.9) },
  });
  const before = link.sent;
  const again = await measure(side.argv, { env: side.env ?? {} });
  const flaw = again.exitCode === 0 ? await incomplete(source, target) : again.output;
  await bench.ground.sweep();
  return {
    name: 'killed-at-90',
    what: `kill -9 at 90 % of a layer of ${size} bytes, then started again`,
    sides: [
      {
        side: 'imageferry, second start',
        hashes: true,
        runs: [again],
        ...(flaw === undefined ? {} : { flaw }),
      },
    ],
    checks: [
      {
        what: 'it was killed in the middle',
        value: `after ${before} bytes, exit ${killedAt.exitCode}`,
        met: killedAt.exitCode !== 0,
      },
      limitCheck('bytes moved again ÷ size', (link.sent - size) / size, 0.1),
      { what: 'the image is whole', value: flaw ?? 'yes', met: flaw === undefined },
    ],
  };
}

function killWhen(pid: number, reached: () => boolean): void {
  const timer = setInterval(() => {
    if (!reached()) return;
    clearInterval(timer);
    process.kill(pid, 'SIGKILL');
  }, 5);
  timer.unref();
}

async function fiveTargets(bench: Bench): Promise<CaseResult> {
  const source = sourceOf(bench, 'five/layer');
  const size = Math.round(largeBytes(bench) / 4);
  await seedOneLayer(source.domain, source.path, size);
  let others: readonly string[] = [];
  const prepare = async (): Promise<void> => {
    const started = await Promise.all([1, 2, 3, 4].map(() => bench.ground.freshTarget()));
    others = started.map(({ domain }) => domain);
  };
  const sides = (target: Place): readonly Side[] => {
    // Five registries: in one, a tool that remembers what it pushed would only mount.
    const five = [target.domain, ...others].map((domain) => ({ domain, path: target.path }));
    const peers = five.map((place) => imageSides(bench.peers, bench.ground.folder, source, place, 'v1'));
    const own = ours(bench.ground.folder, 'copy', `${text(source)}:v1`, ...five.map(text));
    // The others copy to one target at a time.
    const inTurn = (name: string): Side | undefined => {
      const each = peers.map((list) => list.find((side) => side.name === name));
      const commands = each.filter((side) => side !== undefined).map((side) => [';'].concat(side.argv));
      const argv = commands.flat().slice(1);
      return argv.length === 0
        ? undefined
        : {
            name,
            argv: ['bash', '-c', inTurnScript, 'turn', ...argv],
            env: regctlEnv(bench.ground.folder, [source.domain, ...five.map(({ domain }) => domain)]),
          };
    };
    return [own, ...['crane', 'regctl', 'skopeo'].map(inTurn).filter((side) => side !== undefined)];
  };
  const results = await contest({ ...bench, source, targetPath: 'copy/five', prepare, sides });
  const bytes = await readBytes(bench, source, size);
  return {
    name: 'five-targets',
    what: `one layer of ${size} bytes to five targets`,
    sides: results,
    checks: [ratioCheck(results, 'wallSeconds', 0.6), bytes],
  };
}

/** Runs the commands that are separated by `;`, and fails where one fails. */
const inTurnScript = `
args=()
for word in "$@" ";"; do
  if [ "$word" = ";" ]; then "\${args[@]}" || exit 1; args=(); else args+=("$word"); fi
done`;

async function readBytes(bench: Bench, source: Place, size: number): Promise<Check> {
  const { domain } = await bench.ground.freshTarget();
  const link = await bench.ground.link(source.domain);
  const targets = [1, 2, 3, 4, 5].map((n) => `${domain}/copy/read${n}`);
  const side = ours(bench.ground.folder, 'copy', `${link.domain}/${source.path}:v1`, ...targets);
  await measure(side.argv, { env: side.env ?? {} });
  const check = limitCheck('bytes read upstream ÷ size', link.received / size, 1.01);
  await bench.ground.sweep();
  return check;
}

async function droppingLink(bench: Bench): Promise<CaseResult> {
  const source = sourceOf(bench, 'dropping/layer');
  const size = largeBytes(bench);
  await seedOneLayer(source.domain, source.path, size);
  const every = Math.round(size / 10.7);
  const runs: {
    readonly side: string;
    readonly run: Measured;
    readonly received: number;
    readonly flaw?: string;
  }[] = [];
  for (const name of ['imageferry', 'crane', 'regctl', 'oras', 'skopeo']) {
    const target = { domain: (await bench.ground.freshTarget()).domain, path: 'copy/dropping' };
    const link = await bench.ground.link(source.domain, { cutEvery: every, maxCuts: 40 });
    const from = { ...source, domain: link.domain };
    const side = imageSides(bench.peers, bench.ground.folder, from, target, 'v1').find(
      (each) => each.name === name,
    );
    if (side !== undefined) {
      const run = await measure(['timeout', '120', ...side.argv], { env: side.env ?? {} });
      const flaw = run.exitCode === 0 ? await incomplete(source, target) : `exit ${run.exitCode}`;
      runs.push({ side: name, run, received: link.received, ...(flaw === undefined ? {} : { flaw }) });
    }
    await bench.ground.sweep();
  }
  const own = runs.find((each) => each.side === 'imageferry');
  return {
    name: 'dropping-link',
    what: `a link that drops every ${every} bytes, a layer of ${size} bytes`,
    sides: runs.map(({ side, run, flaw }) => ({
      side,
      hashes: true,
      runs: [run],
      ...(flaw === undefined ? {} : { flaw }),
    })),
    checks: [
      { what: 'it finishes', value: own?.flaw ?? 'yes', met: own?.flaw === undefined },
      limitCheck('bytes read ÷ size', (own?.received ?? Number.NaN) / size, 1.05),
      ...runs.slice(1).map((each) => ({
        what: `for comparison, ${each.side}: bytes read ÷ size`,
        value: (each.received / size).toFixed(2),
        met: true,
      })),
    ],
  };
}

async function memory(bench: Bench): Promise<CaseResult> {
  const registry = await serveGeneratedLayer(largeBytes(bench) * 10);
  try {
    const { domain, layerBytes } = registry;
    const side = ours(bench.ground.folder, 'copy', `${domain}/huge/app:v1`, `${domain}/copy/app`);
    const run = await measure(side.argv, { env: side.env ?? {} });
    const unchanged = await measure(side.argv, { env: side.env ?? {} });
    const flaw = registry.copied() ? undefined : run.output;
    return {
      name: 'memory',
      what: `a layer of ${layerBytes} bytes, made while it is read`,
      sides: [
        { side: 'imageferry', hashes: true, runs: [run], flaw },
        { side: 'imageferry, nothing to do', hashes: true, runs: [unchanged] },
      ],
      checks: [
        limitCheck('peak memory over a run that moves nothing', run.peakMiB - unchanged.peakMiB, 64, ' MiB'),
        { what: 'the layer came whole', value: flaw ?? 'yes', met: flaw === undefined },
      ],
    };
  } finally {
    await registry.close();
  }
}

/** Cases in which something breaks, or is very large. */
export const breakCases: readonly Case[] = [
  { name: 'killed-at-90', run: killed },
  { name: 'five-targets', run: fiveTargets },
  { name: 'dropping-link', run: droppingLink },
  { name: 'memory', run: memory },
];
