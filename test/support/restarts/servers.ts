import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { program } from '../../../infra/local/install/programs.ts';
import { quietProgress } from '../../../infra/local/install/progress.ts';
import { start, signalGroup, type Running } from '../../../infra/local/process.ts';
import { prepareCluster, workerProcess } from '../../../infra/local/product.ts';
import { secretsOf } from '../../../infra/local/secrets.ts';
import { startApiServer } from '../../../infra/local/servers/apiserver.ts';
import { startEtcd } from '../../../infra/local/servers/etcd.ts';
import { startTemporal } from '../../../infra/local/servers/temporal.ts';
import { startStack, type Stack } from '../../../infra/local/stack.ts';
import { freePort } from '../../../infra/local/ports.ts';

/** What can be restarted. */
export type Target = 'etcd' | 'kube-apiserver' | 'temporal' | 'worker' | 'worker-2';
/** How it is ended before. */
export type Ending = 'SIGKILL' | 'SIGTERM';

/** Longest time that the worker may take to end after SIGTERM, in milliseconds: it promises 25 s. */
const workerEndsWithinMs = 30_000;
/** After this the servers, which promise nothing while their own neighbours are away, are killed. */
const serverEndsWithinMs = 5_000;

/** A whole stack of its own, with workers and without the API, whose processes can be ended and started again. */
export class RestartableServers {
  readonly stack: Stack;
  /** What went wrong with the processes themselves, such as a worker that ended unasked. */
  readonly complaints: string[] = [];
  readonly #folder: string;
  readonly #running = new Map<Target, Running>();
  readonly #starters: Readonly<Record<Target, () => Promise<Running>>>;

  private constructor(folder: string, stack: Stack, starters: RestartableServers['starters']) {
    this.#folder = folder;
    this.stack = stack;
    this.#starters = starters;
    for (const running of stack.processes) {
      if (running.name in starters) this.#running.set(running.name as Target, running);
    }
  }

  /** Starts everything but the second worker. */
  static async start(): Promise<RestartableServers> {
    const parent = process.env['IMAGEFERRY_TEST_DIR'] ?? tmpdir();
    const folder = mkdtempSync(join(parent, 'imageferry-restarts-'));
    const { KUBECONFIG: _k, TEMPORAL_ADDRESS: _t, S3_ENDPOINT: _s, ...env } = process.env;
    const stack = await startStack({ folder, randomPorts: true, progress: quietProgress, env });
    await prepareCluster(stack, () => undefined);
    const servers = new RestartableServers(folder, stack, await startersOf(stack));
    await servers.add('worker');
    return servers;
  }

  get starters(): Readonly<Record<Target, () => Promise<Running>>> {
    return this.#starters;
  }

  /** What runs by now. */
  get targets(): readonly Target[] {
    return [...this.#running.keys()];
  }

  async add(target: Target): Promise<void> {
    this.#running.set(target, await this.#starters[target]());
  }

  /** Ends a process and starts it again; resolves when it is ready. */
  async restart(target: Target, ending: Ending): Promise<void> {
    const running = this.#running.get(target);
    if (running === undefined) throw new Error(`${target} does not run`);
    await this.#end(running, ending);
    await this.add(target);
  }

  /** Starts what ended by itself, which is told. */
  async revive(): Promise<void> {
    for (const [target, running] of this.#running) {
      const how = await Promise.race([running.ended, sleep(0, undefined)]);
      if (how === undefined) continue;
      this.complaints.push(`${target} ended by itself (${how})`);
      await this.add(target);
    }
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#running.values()].map((running) => running.stop()));
    await this.stack.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #end(running: Running, ending: Ending): Promise<void> {
    signalGroup(running.pid, ending);
    const isWorker = running.name.startsWith('worker');
    const patience = isWorker ? workerEndsWithinMs : serverEndsWithinMs;
    const how = await Promise.race([running.ended, sleep(patience, undefined, { ref: false })]);
    if (how !== undefined) return;
    if (isWorker)
      this.complaints.push(`${running.name} did not end within ${patience / 1000} s of ${ending}`);
    signalGroup(running.pid, 'SIGKILL');
    await running.ended;
  }
}

async function startersOf(stack: Stack): Promise<RestartableServers['starters']> {
  const { folder, ports } = stack;
  const [etcd, apiserver, temporal] = await Promise.all(
    (['etcd', 'apiserver', 'temporal'] as const).map((name) => program(name, quietProgress)),
  );
  const second = { name: 'worker-2', port: await freePort() };
  return {
    etcd: () => startEtcd(folder, etcd ?? '', ports),
    'kube-apiserver': () => startApiServer(folder, apiserver ?? '', ports, secretsOf(folder)),
    temporal: () => startTemporal(folder, temporal ?? '', ports),
    worker: () => start(folder, workerProcess(stack)),
    'worker-2': () => start(folder, workerProcess(stack, second)),
  };
}
