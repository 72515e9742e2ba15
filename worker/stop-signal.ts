import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';

/** Aborts at the first SIGTERM or SIGINT; a second one ends the process at once. */
export function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.on(name, () => {
      if (stop.signal.aborted) process.exit(1);
      stop.abort();
    });
  }
  return stop.signal;
}

/** Tries something every two seconds until it works or the process is to stop. */
export async function untilDone(
  what: string,
  attempt: () => Promise<void>,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      return await attempt();
    } catch (error) {
      log.warn({ err: error }, `${what}: failed, trying again`);
      await pause(2000, undefined, { signal }).catch(() => undefined);
    }
  }
}
