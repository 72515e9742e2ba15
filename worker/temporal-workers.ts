import { setTimeout as pause } from 'node:timers/promises';
import type { DataConverter } from '@temporalio/common';
import {
  NativeConnection,
  Worker,
  type WorkerOptions,
  type WorkflowBundleWithSourceMap,
} from '@temporalio/worker';
import type { Logger } from 'pino';
import type { TemporalAccess } from '../infra/temporal/access.ts';
import { failureInterceptor } from '../activities/failure-interceptor.ts';

/** One queue that this process polls. */
export interface PolledQueue {
  readonly taskQueue: string;
  readonly activities: object;
  /** Steps at once. Default: Temporal's. */
  readonly concurrency?: number;
  /** Default: the queue runs no workflows. */
  readonly workflows?: WorkflowBundleWithSourceMap;
}

/** Where the queues are. */
export interface TemporalPlace extends TemporalAccess {
  readonly address: string;
  readonly namespace: string;
  readonly dataConverter: DataConverter;
}

/** Between two attempts to reach Temporal, in milliseconds. */
const reconnectEveryMs = 2000;

/**
 * Polls queues until the signal aborts, and then for at most 20 seconds more so that steps under way can end (fault
 * N03). Temporal may be away at the start or for hours later: it is asked again until it is back. Calls back when all
 * queues are polled.
 */
export async function pollQueues(
  queues: readonly PolledQueue[],
  place: TemporalPlace,
  log: Logger,
  hooks: { readonly signal: AbortSignal; readonly onPolling: () => void },
): Promise<void> {
  while (!hooks.signal.aborted) {
    try {
      await pollOnce(queues, place, log, hooks);
    } catch (error) {
      log.warn({ err: error }, 'Temporal cannot be polled, trying again');
      await pause(reconnectEveryMs, undefined, { signal: hooks.signal }).catch(() => undefined);
    }
  }
}

async function pollOnce(
  queues: readonly PolledQueue[],
  place: TemporalPlace,
  log: Logger,
  { signal, onPolling }: { readonly signal: AbortSignal; readonly onPolling: () => void },
): Promise<void> {
  const { address, apiKey, tls } = place;
  const connection = await NativeConnection.connect({
    address,
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(tls === undefined ? {} : { tls }),
  });
  try {
    const workers = await Promise.all(
      queues.map((queue) => Worker.create(optionsOf(queue, place, connection, log))),
    );
    const stop = (): void => {
      for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
    };
    signal.addEventListener('abort', stop, { once: true });
    const running = workers.map((worker) => worker.run());
    if (signal.aborted) stop();
    onPolling();
    // One that breaks takes the others along, so that all are made anew.
    const whole = running.map((run) =>
      run.catch((error: unknown) => {
        stop();
        throw error;
      }),
    );
    const ends = await Promise.allSettled(whole);
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
    signal.removeEventListener('abort', stop);
  } finally {
    await connection.close();
  }
}

function optionsOf(
  queue: PolledQueue,
  place: TemporalPlace,
  connection: NativeConnection,
  log: Logger,
): WorkerOptions {
  return {
    connection,
    namespace: place.namespace,
    taskQueue: queue.taskQueue,
    dataConverter: place.dataConverter,
    activities: queue.activities,
    interceptors: {
      activity: [
        failureInterceptor((activity, error) => log.error({ activity, err: error }, 'unexpected error')),
      ],
    },
    // A cancelled step hears of it with a heartbeat: within two seconds.
    maxHeartbeatThrottleInterval: '1s',
    shutdownGraceTime: '20s',
    shutdownForceTime: '23s',
    ...(queue.workflows === undefined ? {} : { workflowBundle: queue.workflows }),
    ...(queue.concurrency === undefined ? {} : { maxConcurrentActivityTaskExecutions: queue.concurrency }),
  };
}
