import { Watch, type KubeConfig } from '@kubernetes/client-node';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Plural, ResourceOf } from '../../domain/resources/kinds.ts';
import { apiGroup, apiVersion } from '../../domain/resources/meta.ts';
import type { ObjectKey, ResourceCache } from './cluster.ts';
import { parseObject } from './parse-object.ts';
import { customResource, type CustomResourceClient } from './resource-client.ts';

export interface CacheOptions {
  /**
   * Milliseconds after which a watch is given up for a fresh list even where it looks healthy, because a watch can die
   * without a word. Up to a fifth more is added by chance. Default: 5 minutes.
   */
  readonly relistMs?: number;
  /** Longest pause between tries while the API server is away, in milliseconds. Default: 15 s. */
  readonly maxPauseMs?: number;
  /** Shortest time between two lists that succeed, in milliseconds. Default: 5 s. */
  readonly minRelistMs?: number;
  /** Told when the API server cannot be listed or watched. Default: nobody. */
  readonly onTrouble?: (error: unknown) => void;
}

const defaults: Required<CacheOptions> = {
  relistMs: 300_000,
  maxPauseMs: 15_000,
  minRelistMs: 5000,
  onTrouble: () => undefined,
};
/** Watches that may fail one after the other before a new list is made. */
const maxWatchFailures = 4;

type Listener<P extends Plural> = (object: ResourceOf[P], gone: boolean) => void;

/**
 * One kind's objects, kept by list and watch. Listeners hear of every object once a list or the watch has shown it, of a
 * change whenever its resourceVersion moved, and of objects that went while nobody watched at the next list.
 */
export class WatchedCache<P extends Plural> implements ResourceCache<P> {
  readonly plural: P;
  readonly #client: CustomResourceClient<P>;
  readonly #watch: Watch;
  readonly #options: Required<CacheOptions>;
  readonly #objects = new Map<string, ResourceOf[P]>();
  readonly #listeners: Listener<P>[] = [];
  readonly #stopping = new AbortController();
  /** The version that has been seen; undefined where only a new list helps. Kept also where a watch breaks off. */
  #version: string | undefined;

  constructor(config: KubeConfig, plural: P, options: CacheOptions = {}) {
    this.plural = plural;
    this.#client = customResource(config, plural);
    this.#watch = new Watch(config);
    this.#options = { ...defaults, ...options };
  }

  /** Resolves when the first list is complete; the cache keeps itself current from then on, until {@link stop}. */
  async start(): Promise<void> {
    const first = Promise.withResolvers<void>();
    void this.#run(first.resolve);
    await first.promise;
  }

  stop(): void {
    this.#stopping.abort();
  }

  list(namespace?: string): readonly ResourceOf[P][] {
    const all = [...this.#objects.values()];
    return namespace === undefined ? all : all.filter((object) => object.metadata.namespace === namespace);
  }

  get(key: ObjectKey): ResourceOf[P] | undefined {
    return this.#objects.get(cacheKey(key));
  }

  onChange(listener: Listener<P>): void {
    this.#listeners.push(listener);
    for (const object of this.#objects.values()) listener(object, false);
  }

  async #run(listed: () => void): Promise<void> {
    let pause = 500;
    while (!this.#stopping.signal.aborted) {
      let since = 0;
      try {
        this.#version = await this.#relist();
        since = performance.now();
        listed();
        pause = 500;
        await this.#follow();
      } catch (error) {
        this.#options.onTrouble(error);
        await this.#wait(pause);
        pause = Math.min(this.#options.maxPauseMs, pause * 2);
        continue;
      }
      await this.#wait(this.#options.minRelistMs - (performance.now() - since));
    }
  }

  /** Waits up to a fifth more, so that many processes do not come back in the same moment; not at all once stopped. */
  async #wait(milliseconds: number): Promise<void> {
    const time = Math.max(0, milliseconds) * (1 + Math.random() * 0.2);
    await sleep(time, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
  }

  /** Replaces what is known by a complete list; tells of what changed and of what is gone. */
  async #relist(): Promise<string> {
    const { items, resourceVersion } = await this.#client.listWithVersion();
    const present = new Set(items.map((object) => cacheKey(object.metadata)));
    for (const [key, object] of this.#objects) if (!present.has(key)) this.#drop(key, object);
    for (const object of items) this.#put(object);
    return resourceVersion;
  }

  /**
   * Watches until it is time for the next list, or the server says that the version is too old. A watch that fails (the
   * first one after a CRD is established answers 429) goes on from where it was; a few failures in a row are thrown.
   */
  async #follow(): Promise<void> {
    const relistAt = performance.now() + this.#options.relistMs * (1 + Math.random() * 0.2);
    let failures = 0;
    while (!this.#stopping.signal.aborted && performance.now() < relistAt) {
      const from = this.#version;
      if (from === undefined) return;
      const seconds = Math.max(1, Math.ceil((relistAt - performance.now()) / 1000));
      try {
        await this.#watchOnce(from, seconds);
        failures = 0;
      } catch (error) {
        if (statusOf(error) === 410) return;
        failures += 1;
        if (failures === maxWatchFailures) throw error;
        await this.#wait(Math.min(this.#options.maxPauseMs, 500 * 2 ** failures));
      }
    }
  }

  async #watchOnce(from: string, timeoutSeconds: number): Promise<void> {
    const ended = Promise.withResolvers<void>();
    const query = { resourceVersion: from, allowWatchBookmarks: true, timeoutSeconds };
    const path = `/apis/${apiGroup}/${apiVersion}/${this.plural}`;
    const onEvent = (phase: string, value: unknown): void => {
      if (phase === 'ERROR') this.#version = undefined;
      else this.#version = this.#take(phase, value) ?? this.#version;
    };
    const request = await this.#watch.watch(path, query, onEvent, (error: unknown) =>
      isEnd(error) ? ended.resolve() : ended.reject(error),
    );
    // The server ends the watch at timeoutSeconds; one that it has forgotten is cut a little later.
    const cut = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout((timeoutSeconds + 10) * 1000)]);
    const abort = (): void => request.abort();
    cut.addEventListener('abort', abort, { once: true });
    await ended.promise.finally(() => cut.removeEventListener('abort', abort));
  }

  #take(phase: string, value: unknown): string | undefined {
    if (phase === 'BOOKMARK') return bookmarkVersion(value);
    const object = parseObject(this.plural, value);
    const key = cacheKey(object.metadata);
    if (phase === 'DELETED') this.#drop(key, object);
    else this.#put(object);
    return object.metadata.resourceVersion;
  }

  #put(object: ResourceOf[P]): void {
    const key = cacheKey(object.metadata);
    if (this.#objects.get(key)?.metadata.resourceVersion === object.metadata.resourceVersion) return;
    this.#objects.set(key, object);
    for (const listener of this.#listeners) listener(object, false);
  }

  #drop(key: string, object: ResourceOf[P]): void {
    this.#objects.delete(key);
    for (const listener of this.#listeners) listener(object, true);
  }
}

/** Started caches of some of our kinds. */
export interface WatchedCaches {
  /** Throws where the kind is not watched by this process. */
  cache<P extends Plural>(plural: P): ResourceCache<P>;
  stop(): void;
}

/** Starts a cache for each kind; resolves when all of them are complete. */
export async function watchResources(
  config: KubeConfig,
  plurals: readonly Plural[],
  options: CacheOptions = {},
): Promise<WatchedCaches> {
  const caches = new Map<Plural, unknown>();
  const started = plurals.map((plural) => new WatchedCache(config, plural, options));
  for (const cache of started) caches.set(cache.plural, cache);
  await Promise.all(started.map((cache) => cache.start()));
  return {
    cache: <P extends Plural>(plural: P) => {
      const found = caches.get(plural);
      if (found === undefined) throw new Error(`${plural} are not watched`);
      return found as WatchedCache<P>;
    },
    stop: () => {
      for (const cache of started) cache.stop();
    },
  };
}

const cacheKey = ({ namespace, name }: ObjectKey): string => `${namespace ?? ''}/${name}`;

/** Whether a watch just ended: by the server, by us, or by the 30 s of silence after which the client gives one up. */
const isEnd = (error: unknown): boolean =>
  error === null ||
  error === undefined ||
  (error instanceof Error && (error.name === 'AbortError' || error.name === 'TimeoutError'));

const statusOf = (error: unknown): unknown =>
  error instanceof Error ? Reflect.get(error, 'statusCode') : undefined;

function bookmarkVersion(value: unknown): string | undefined {
  const metadata: unknown =
    typeof value === 'object' && value !== null ? Reflect.get(value, 'metadata') : undefined;
  const version: unknown =
    typeof metadata === 'object' && metadata !== null ? Reflect.get(metadata, 'resourceVersion') : undefined;
  return typeof version === 'string' ? version : undefined;
}
