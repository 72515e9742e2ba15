import type { Descriptor } from '../../domain/image/descriptor.ts';

/** Runs a task once for all who ask for the same key while it runs. */
export class SingleFlight {
  readonly #running = new Map<string, Promise<unknown>>();

  /** The blob that the key is about is for flights that look at more than the key. */
  run<T>(key: string, task: () => Promise<T>, _blob?: Descriptor): Promise<T> {
    const running = this.#running.get(key);
    if (running !== undefined) return running as Promise<T>;
    const started = task().finally(() => this.#running.delete(key));
    this.#running.set(key, started);
    return started;
  }
}
