import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../domain/failure.ts';

/** Runs a task per item, `width` at a time (default: 16). The first failure stops the rest from starting and is thrown. */
export async function inParallel<T>(
  items: readonly T[],
  task: (item: T) => Promise<void>,
  width = 16,
): Promise<void> {
  const waiting = items.toReversed();
  const lane = async (): Promise<void> => {
    for (let item = waiting.pop(); item !== undefined; item = waiting.pop()) {
      try {
        await task(item);
      } catch (error) {
        waiting.length = 0;
        throw error;
      }
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: Math.min(width, items.length) }, lane));
  const broken = lanes.find((result) => result.status === 'rejected');
  if (broken !== undefined) throw broken.reason;
}

/** Waits. Throws `Cancelled` where `signal` aborts meanwhile. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    throw new Failure('Cancelled', { cause: error });
  }
}
