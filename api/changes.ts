import type { Plural, ResourceOf } from '../domain/resources/kinds.ts';
import type { ObjectKey, ResourceCache } from '../infra/kubernetes/cluster.ts';

type Listener<P extends Plural> = (object: ResourceOf[P], gone: boolean) => void;

/** Watches one kind's cache for those who wait for a change. A cache's own listeners stay for ever; these do not. */
export class Changes<P extends Plural> {
  readonly #listeners = new Set<Listener<P>>();
  readonly #cache: ResourceCache<P>;

  constructor(cache: ResourceCache<P>) {
    this.#cache = cache;
    cache.onChange((object, gone) => {
      for (const listener of this.#listeners) listener(object, gone);
    });
  }

  /** Calls back for every change from now on, until the returned function is called. */
  watch(listener: Listener<P>): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Waits until the cache's view of an object is as wanted, so that a caller reads what it wrote. Gives up quietly after
   * `timeoutMs`: the write itself has been done.
   */
  async until(
    key: ObjectKey,
    wanted: (object: ResourceOf[P] | undefined) => boolean,
    timeoutMs: number,
  ): Promise<void> {
    if (wanted(this.#cache.get(key))) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const stop = this.watch(() => {
      if (wanted(this.#cache.get(key))) resolve();
    });
    const timer = setTimeout(resolve, timeoutMs);
    await promise;
    clearTimeout(timer);
    stop();
  }
}
