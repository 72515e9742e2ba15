import { Watch, type KubeConfig } from '@kubernetes/client-node';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ObjectMeta } from '../../domain/resources/meta.ts';
import type { ObjectKey } from './cluster.ts';

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

type Listener<T> = (object: T, gone: boolean) => void;

/** Any object that can be listed and watched. */
interface Watchable {
  readonly metadata: ObjectMeta;
}

/** What is listed and watched. */
export interface WatchSource<T> {
  /** Complete, and the version from which a watch continues it. */
  list(): Promise<{ readonly items: readonly T[]; readonly resourceVersion: string }>;
  /** Path of the watch, and its query besides the version. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** The configuration that the watch asks with. */
  readonly config: KubeConfig;
  /** Throws where the server sent something else; then the watch ends and goes on from the last version. */
  parse(value: unknown): T;
}

/**
 * Objects kept by list and watch. Listeners hear of every object once a list or the watch has shown it, of a
 * change whenever its resourceVersion moved, and of objects that went while nobody watched at the next list.
 */
export class ListWatch<T extends Watchable> {
  readonly #source: WatchSource<T>;
  readonly #watch: Watch;
  readonly #options: Required<CacheOptions>;
  readonly #objects = new Map<string, T>();
  readonly #listeners: Listener<T>[] = [];
  readonly #stopping = new AbortController();
  /** The version that has been seen; undefined where only a new list helps. Kept also where a watch breaks off. */
  #version: string | undefined;

  constructor(source: WatchSource<T>, options: CacheOptions = {}) {
    this.#source = source;
    this.#watch = new Watch(source.config);
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

  list(namespace?: string): readonly T[] {
    const all = [...this.#objects.values()];
    return namespace === undefined ? all : all.filter((object) => object.metadata.namespace === namespace);
  }

  get(key: ObjectKey): T | undefined {
    return this.#objects.get(cacheKey(key));
  }

  onChange(listener: Listener<T>): void {
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
    const { items, resourceVersion } = await this.#source.list();
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
    const query = { ...this.#source.query, resourceVersion: from, allowWatchBookmarks: true, timeoutSeconds };
    const onEvent = (phase: string, value: unknown): void => {
      if (phase === 'ERROR') this.#version = undefined;
      else this.#version = this.#take(phase, value) ?? this.#version;
    };
    const request = await this.#watch.watch(this.#source.path, query, onEvent, (error: unknown) =>
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
    const object = this.#source.parse(value);
    const key = cacheKey(object.metadata);
    if (phase === 'DELETED') this.#drop(key, object);
    else this.#put(object);
    return object.metadata.resourceVersion;
  }

  #put(object: T): void {
    const key = cacheKey(object.metadata);
    if (this.#objects.get(key)?.metadata.resourceVersion === object.metadata.resourceVersion) return;
    this.#objects.set(key, object);
    for (const listener of this.#listeners) listener(object, false);
  }

  #drop(key: string, object: T): void {
    this.#objects.delete(key);
    for (const listener of this.#listeners) listener(object, true);
  }
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
