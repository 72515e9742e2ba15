import { Failure } from '../../domain/failure.ts';

/** Who asks for a task. */
export interface Asker {
  /** Who is stopped waits no longer for what somebody else began. Default: waits to the end. */
  readonly signal?: AbortSignal;
  /** A failure counts for all of one circle: those who would do the very same, with the same rights. Default: one for all. */
  readonly circle?: string;
}

interface Flight extends Asker {
  readonly ended: Promise<unknown>;
}

/**
 * Runs a task once for all who ask for the same key while it runs. What comes of it is for all; how it failed is for the
 * circle of who began it, as others may have another source or other rights: they try themselves, one after the other.
 */
export class SingleFlight {
  readonly #running = new Map<string, Flight>();

  async run<T>(key: string, task: () => Promise<T>, asker: Asker = {}): Promise<T> {
    for (;;) {
      const running = this.#running.get(key);
      if (running === undefined) return this.#begin(key, task, asker);
      try {
        return (await orStopped(running.ended, asker.signal)) as T;
      } catch (error) {
        if (asker.signal?.aborted === true || isShared(running, error, asker)) throw error;
      }
    }
  }

  #begin<T>(key: string, task: () => Promise<T>, asker: Asker): Promise<T> {
    const ended = task().finally(() => this.#running.delete(key));
    this.#running.set(key, { ...asker, ended });
    return ended;
  }
}

/** Who was stopped gave up for reasons of its own, whatever it called them. */
function isShared(flight: Flight, error: unknown, asker: Asker): boolean {
  const wasStopped =
    flight.signal?.aborted === true || (error instanceof Failure && error.code === 'Cancelled');
  return !wasStopped && flight.circle === asker.circle;
}

/** Rejects with `Cancelled` where `signal` aborts before `ended` settles; what others wait for as well goes on. */
export async function orStopped<T>(ended: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return ended;
  let stop: () => void = () => undefined;
  const stopped = new Promise<never>((_resolve, reject) => {
    stop = () => reject(new Failure('Cancelled', { cause: signal.reason }));
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([ended, stopped]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
