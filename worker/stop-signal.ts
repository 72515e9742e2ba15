import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';

export interface StopOptions {
  /** Milliseconds for which the process may go on after the first signal. Default: 25 s. */
  readonly withinMs?: number;
  /** Told before the process is ended because it took longer. */
  readonly onLate: () => void;
}

/**
 * Aborts at the first SIGTERM or SIGINT; a second one ends the process at once, as does taking too long: a server that is
 * away may keep a last call waiting, and whatever a worker does may be cut at any moment.
 */
export function stopSignal({ withinMs = 25_000, onLate }: StopOptions): AbortSignal {
  const stop = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.on(name, () => {
      if (stop.signal.aborted) process.exit(1);
      stop.abort();
      setTimeout(() => {
        onLate();
        process.exit(1);
      }, withinMs).unref();
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
