import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseRegistryDomain } from '../../domain/names/registry-domain.ts';
import { parseRepositoryPath } from '../../domain/names/repository-path.ts';
import { parseTag } from '../../domain/names/tag.ts';
import { syncWorkflowId } from '../../domain/sync/ids.ts';
import type { CopyEngine, RepositoryEndpoint } from '../../infra/copy/engine.ts';
import { demoRegistry } from '../../infra/local/demo/registry.ts';
import { endpointsFile, type RegistryEndpoint } from '../../infra/local/endpoints.ts';
import { lineProgress } from '../../infra/local/install/progress.ts';
import { startProduct } from '../../infra/local/product.ts';
import { RegistryClients } from '../../infra/registry/registry-client.ts';
import { createCopyEngine } from '../../infra/registry/registry-copy-engine.ts';
import { historySize } from '../support/history-size.ts';
import { liveSync } from '../support/live-sync.ts';
import { madeImage } from '../support/made-image.ts';
import { pidOf } from '../support/stack.ts';
import type { Bench, Case } from './bench-case.ts';
import type { CaseResult, Check } from './result.ts';

/** As many copies at once as a worker runs by default (`COPY_CONCURRENCY`). */
const lanes = 4;

/** What one round over all images took. */
interface Round {
  readonly wallMs: number;
  /** CPU of the worker; of this process for the bare engine. */
  readonly cpuMs: number;
}

/**
 * The same images by the bare engine and by durable syncs through Kubernetes and Temporal, with real servers for all:
 * first cold, then unchanged.
 */
async function durable(bench: Bench): Promise<CaseResult> {
  const count = Math.max(3, Math.round(20 * bench.scale));
  const folder = join(bench.ground.folder, 'stack');
  const progress = lineProgress((line) => console.error(line));
  const { KUBECONFIG: _kubernetes, TEMPORAL_ADDRESS: _temporal, S3_ENDPOINT: _s3, ...env } = process.env;
  const product = await startProduct({ folder, randomPorts: true, progress, env });
  process.env['IMAGEFERRY_ENDPOINTS'] = endpointsFile(folder);
  try {
    const { upstream, edge } = product.endpoints.registries;
    const paths = Array.from({ length: count + 1 }, (_none, index) => `bench/app${index}`);
    for (const path of paths) await demoRegistry(upstream).push(path, 'v1', madeImage([100_000, 20_000]));
    const bare = await bareRounds(paths, upstream, edge);
    const synced = await durableRounds(paths, upstream);
    return {
      name: 'durable',
      what: `${count} images of 120 kB: through Kubernetes and Temporal beside the bare engine`,
      sides: [],
      checks: [
        ...costs('cold', count, bare.cold, synced.cold),
        ...costs('unchanged', count, bare.unchanged, synced.unchanged),
        ...synced.histories,
      ],
    };
  } finally {
    delete process.env['IMAGEFERRY_ENDPOINTS'];
    await product.stop();
  }
}

function costs(what: string, count: number, bare: Round, synced: Round): readonly Check[] {
  const each = ({ wallMs, cpuMs }: Round): string =>
    `${(wallMs / count).toFixed(1)} ms wall, ${(cpuMs / count).toFixed(1)} ms CPU`;
  const more = (synced.wallMs - bare.wallMs) / count;
  return [
    { what: `${what}, per image: bare engine`, value: each(bare), met: true },
    { what: `${what}, per image: durable sync, worker only`, value: each(synced), met: true },
    {
      what: `${what}, per image: on top`,
      value: `${more.toFixed(1)} ms (${(synced.wallMs / bare.wallMs).toFixed(1)} ×)`,
      met: true,
    },
  ];
}

const endpoint = ({ domain, username, password }: RegistryEndpoint, path: string): RepositoryEndpoint => ({
  registry: {
    domain: parseRegistryDomain(domain),
    provider: 'other',
    credential: { username, password },
  },
  path: parseRepositoryPath(path),
});

/** The first image only warms up. */
async function bareRounds(
  [first = '', ...paths]: readonly string[],
  upstream: RegistryEndpoint,
  edge: RegistryEndpoint,
): Promise<{ readonly cold: Round; readonly unchanged: Round }> {
  const clients = new RegistryClients();
  const engine = createCopyEngine(clients);
  const copy = (path: string): Promise<void> =>
    copyOne(engine, endpoint(upstream, path), endpoint(edge, `bare/${path}`));
  const own = (): number => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  };
  try {
    await copy(first);
    const all = (): Promise<void> => inLanes(paths, copy);
    return { cold: await timed(all, own), unchanged: await timed(all, own) };
  } finally {
    await clients.close();
  }
}

async function copyOne(
  engine: CopyEngine,
  source: RepositoryEndpoint,
  target: RepositoryEndpoint,
): Promise<void> {
  const root = await engine.resolve(source, parseTag('v1'));
  if (root === undefined) throw new Error('the source is empty');
  await engine.copy({ source, root, target, tag: parseTag('v1') });
}

async function durableRounds(
  [first = '', ...paths]: readonly string[],
  upstream: RegistryEndpoint,
): Promise<{ readonly cold: Round; readonly unchanged: Round; readonly histories: readonly Check[] }> {
  const live = liveSync();
  try {
    const secret = await live.secret(upstream);
    const create = (path: string): Promise<string> =>
      live.repository(secret, { repository: path, tag: 'v1' });
    await live.ended(await create(first));
    const names: string[] = [];
    const worker = (): number => cpuOf(pidOf('worker'));
    const allEnded = async (times: number, result: string): Promise<void> => {
      for (const name of names) {
        const { record } = await live.ended(name, times);
        if (record.result !== result) throw new Error(`${name}: ${record.result} ${record.message ?? ''}`);
      }
    };
    const cold = await timed(async () => {
      await inLanes(paths, async (path) => void names.push(await create(path)));
      await allEnded(1, 'Success');
    }, worker);
    const ref = (name: string) => ({ namespace: live.namespace, name });
    const histories = [await historyCheck(live, 'cold', ref(names[0] ?? ''))];
    const unchanged = await timed(async () => {
      await inLanes(names, async (name) => void (await live.gateway.startSync(ref(name), 'manual')));
      await allEnded(2, 'Unchanged');
    }, worker);
    histories.push(await historyCheck(live, 'unchanged', ref(names[0] ?? '')));
    return { cold, unchanged, histories };
  } finally {
    await live.close();
  }
}

async function historyCheck(
  live: ReturnType<typeof liveSync>,
  what: string,
  ref: Parameters<typeof syncWorkflowId>[0],
): Promise<Check> {
  const run = await live.gateway.newestSync(ref);
  const size = await historySize(live.temporal, syncWorkflowId(ref), run?.runId ?? '');
  const activities = Object.entries(size.activities).map(([name, times]) => `${name} ${times}`);
  const value = `${size.events} events, ${size.bytes} bytes of payloads, activities: ${activities.join(', ')}`;
  return { what: `${what}: history of one sync`, value, met: true };
}

async function timed(task: () => Promise<void>, cpu: () => number): Promise<Round> {
  const [started, before] = [performance.now(), cpu()];
  await task();
  return { wallMs: performance.now() - started, cpuMs: cpu() - before };
}

/** User and system time of a process in milliseconds; Linux counts in hundredths of a second. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

async function inLanes(items: readonly string[], task: (item: string) => Promise<void>): Promise<void> {
  const waiting = items.toReversed();
  const lane = async (): Promise<void> => {
    for (let item = waiting.pop(); item !== undefined; item = waiting.pop()) await task(item);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

/** Needs the whole stack: two minutes more to start where its programs are not built yet. */
export const durableCases: readonly Case[] = [{ name: 'durable', run: durable }];
