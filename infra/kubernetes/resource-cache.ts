import type { KubeConfig } from '@kubernetes/client-node';
import type { Plural, ResourceOf } from '../../domain/resources/kinds.ts';
import { apiGroup, apiVersion } from '../../domain/resources/meta.ts';
import type { ResourceCache } from './cluster.ts';
import { ListWatch, type CacheOptions } from './list-watch.ts';
import { parseObject } from './parse-object.ts';
import { customResource } from './resource-client.ts';

/** One kind of ours, kept by list and watch. */
export class WatchedCache<P extends Plural> extends ListWatch<ResourceOf[P]> implements ResourceCache<P> {
  readonly plural: P;

  constructor(config: KubeConfig, plural: P, options: CacheOptions = {}) {
    const client = customResource(config, plural);
    const source = {
      config,
      path: `/apis/${apiGroup}/${apiVersion}/${plural}`,
      list: () => client.listWithVersion(),
      parse: (value: unknown) => parseObject(plural, value),
    };
    super(source, options);
    this.plural = plural;
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
