import type { ListQuery } from '../domain/api/list-query.ts';
import { cutPage, filterItems, type ListView, type Page } from '../domain/api/list-view.ts';
import { SortedList } from '../domain/api/sorted-list.ts';
import type { Plural, ResourceOf } from '../domain/resources/kinds.ts';
import type { ResourceCache } from '../infra/kubernetes/cluster.ts';

/** Answers lists of one kind from the cache. Each order that was asked for once is kept up as objects change. */
export class ListIndex<P extends Plural> {
  readonly #cache: ResourceCache<P>;
  readonly #view: ListView<ResourceOf[P]>;
  readonly #sorted = new Map<string, SortedList<ResourceOf[P]>>();

  constructor(cache: ResourceCache<P>, view: ListView<ResourceOf[P]>) {
    this.#cache = cache;
    this.#view = view;
    cache.onChange((object, gone) => {
      for (const list of this.#sorted.values()) list.change(object, gone);
    });
  }

  /** Every object of the kind, in no order. */
  all(): readonly ResourceOf[P][] {
    return this.#cache.list();
  }

  /** One page of a namespace, or of all. */
  page(query: ListQuery, namespace?: string): Page<ResourceOf[P]> {
    const all = this.#inOrder(query).items();
    const wanted =
      namespace === undefined ? all : all.filter(({ metadata }) => metadata.namespace === namespace);
    return cutPage(filterItems(wanted, this.#view, query), query);
  }

  /** At most two lists for each field of the view. */
  #inOrder({ sort }: ListQuery): SortedList<ResourceOf[P]> {
    const key = `${sort.descending ? '-' : ''}${sort.field}`;
    const known = this.#sorted.get(key);
    if (known !== undefined) return known;
    const sorted = new SortedList(this.#view, sort, this.#cache.list());
    this.#sorted.set(key, sorted);
    return sorted;
  }
}
