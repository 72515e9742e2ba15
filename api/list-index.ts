import { cutPage, filterItems, sortItems, type ListView, type Page } from '../domain/api/list-view.ts';
import type { ListQuery } from '../domain/api/list-query.ts';
import type { Plural, ResourceOf } from '../domain/resources/kinds.ts';
import type { ResourceCache } from '../infra/kubernetes/cluster.ts';

/** Answers lists of one kind from the cache. What was sorted stays sorted until an object changes. */
export class ListIndex<P extends Plural> {
  readonly #cache: ResourceCache<P>;
  readonly #view: ListView<ResourceOf[P]>;
  readonly #sorted = new Map<string, readonly ResourceOf[P][]>();

  constructor(cache: ResourceCache<P>, view: ListView<ResourceOf[P]>) {
    this.#cache = cache;
    this.#view = view;
    cache.onChange(() => this.#sorted.clear());
  }

  /** Every object of the kind, in no order. */
  all(): readonly ResourceOf[P][] {
    return this.#cache.list();
  }

  /** One page of a namespace, or of all. */
  page(query: ListQuery, namespace?: string): Page<ResourceOf[P]> {
    return cutPage(filterItems(this.#inOrder(query, namespace), this.#view, query), query);
  }

  #inOrder(query: ListQuery, namespace?: string): readonly ResourceOf[P][] {
    const key = `${query.sort.descending ? '-' : ''}${query.sort.field} ${namespace ?? '*'}`;
    const known = this.#sorted.get(key);
    if (known !== undefined) return known;
    const sorted = sortItems(this.#cache.list(namespace), this.#view, query.sort);
    if (this.#sorted.size < 200) this.#sorted.set(key, sorted);
    return sorted;
  }
}
