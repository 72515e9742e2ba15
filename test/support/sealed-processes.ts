import { readFileSync } from 'node:fs';
import { freePort } from '../../infra/local/ports.ts';
import { start, type Running } from '../../infra/local/process.ts';
import { apiProcess, workerProcess } from '../../infra/local/product.ts';
import type { Stack } from '../../infra/local/stack.ts';

/** The processes that seal: the API and two workers. */
export type Member = 'api' | 'worker' | 'worker-2';

/** The product's own processes over a stack, each with keys of its own. */
export interface SealedProcesses {
  /** Where the workers show their measurements. */
  readonly metrics: readonly string[];
  /** Ends one, and starts it with these keys, of which the first one seals. */
  restart(member: Member, keys: string): Promise<void>;
  /** The same for all of them at once. */
  everywhere(...keys: readonly string[]): Promise<void>;
  /** What one logged, before it was restarted too. */
  logOf(member: Member): string;
  stop(): Promise<void>;
}

/** None runs until it is started. */
export async function sealedProcesses(folder: string, stack: Stack): Promise<SealedProcesses> {
  const second = { name: 'worker-2', port: await freePort() };
  const running = new Map<Member, Running>();
  const specs = {
    api: () => apiProcess(stack),
    worker: () => workerProcess(stack),
    'worker-2': () => workerProcess(stack, second),
  };
  const restart = async (member: Member, keys: string): Promise<void> => {
    await running.get(member)?.stop();
    process.env['TEMPORAL_CODEC_KEYS'] = keys;
    running.set(member, await start(folder, specs[member]()));
  };
  return {
    metrics: [stack.ports.metrics, second.port].map((port) => `http://127.0.0.1:${port}/metrics`),
    restart,
    everywhere: async (...keys) => {
      await Promise.all(
        (['worker', 'worker-2', 'api'] as const).map((member) => restart(member, keys.join(','))),
      );
    },
    logOf: (member) => readFileSync(running.get(member)?.log ?? '', 'utf8'),
    stop: async () => void (await Promise.all([...running.values()].map((process_) => process_.stop()))),
  };
}
