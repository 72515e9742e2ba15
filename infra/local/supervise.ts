import { setTimeout as sleep } from 'node:timers/promises';
import type { ProcessSpec, Running } from './process.ts';
import { start } from './process.ts';

/** A process that is started again when it ends. */
export interface Supervised {
  readonly name: string;
  stop(): Promise<void>;
}

const firstPause = 500;
const longestPause = 15_000;
/** A process that ran this long begins again with the first pause. Milliseconds. */
const healthy = 30_000;

/**
 * Starts a process and keeps it running: when it ends by itself it is started again, after a pause that doubles from
 * 0.5 to 15 seconds. Throws where it does not even start the first time.
 */
export async function supervise(
  folder: string,
  spec: ProcessSpec,
  say: (line: string) => void,
): Promise<Supervised> {
  let stopping = false;
  let current: Running | undefined = await start(folder, spec);
  const halt = new AbortController();
  const again = async (pause: number): Promise<void> => {
    const from = performance.now();
    const how = await current?.ended;
    if (stopping) return;
    const next = performance.now() - from > healthy ? firstPause : pause;
    say(`  ! ${spec.name} ended (${how ?? 'not ready'}), starting it again in ${next / 1000}s`);
    await sleep(next, undefined, { signal: halt.signal }).catch(() => {});
    if (stopping) return;
    current = await start(folder, spec).catch((error: unknown) => {
      if (!stopping) say(`  ! ${String(error)}`);
      return undefined;
    });
    // Stopped while it was coming up.
    if (stopping) await current?.stop();
    else await again(Math.min(next * 2, longestPause));
  };
  const loop = again(firstPause);
  return {
    name: spec.name,
    async stop() {
      stopping = true;
      halt.abort();
      await current?.stop();
      await loop;
    },
  };
}
