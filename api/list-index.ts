import type { ListQuery } from '../domain/api/list-query.ts';
import { ListRow } from '../domain/api/list-row.ts';
import { ListScope } from '../domain/api/list-scope.ts';
import type { ListView, Page } from '../domain/api/list-view.ts';
import type { Plural, ResourceOf } from '../domain/resources/kinds.ts';
import type { ResourceCache } from '../infra/kubernetes/cluster.ts';

/** Answers lists of one kind, of all namespaces or of one, from the cache. */
export class ListIndex<P extends Plural> {
  readonly #cache: ResourceCache<P>;
  readonly #view: ListView<ResourceOf[P]>;
  readonly #all: ListScope<ResourceOf[P]>;
  readonly #namespaces = new Map<string, ListScope<ResourceOf[P]>>();

  constructor(cache: ResourceCache<P>, view: ListView<ResourceOf[P]>) {
    this.#cache = cache;
    this.#view = view;
    this.#all = new ListScope(view);
    cache.onChange((object, gone) => (gone ? this.#delete(object) : this.#put(object)));
  }

  /** Every object of the kind, in no order. */
  all(): readonly ResourceOf[P][] {
    return this.#cache.list();
  }

  /** One page of a namespace, or of all. */
  page(query: ListQuery, namespace?: string): Page<ListRow<ResourceOf[P]>> {
    const scope = namespace === undefined ? this.#all : this.#namespaces.get(namespace);
    return scope?.page(query) ?? { items: [], totalItems: 0 };
  }

  #put(object: ResourceOf[P]): void {
    const { namespace } = object.metadata;
    const row = new ListRow(object, this.#view.identity(object));
    this.#all.put(row);
    if (namespace === undefined) return;
    const scope = this.#namespaces.get(namespace) ?? new ListScope(this.#view);
    this.#namespaces.set(namespace, scope);
    scope.put(row);
  }

  #delete(object: ResourceOf[P]): void {
    const { namespace = '' } = object.metadata;
    const identity = this.#view.identity(object);
    this.#all.delete(identity);
    const scope = this.#namespaces.get(namespace);
    scope?.delete(identity);
    if (scope?.size === 0) this.#namespaces.delete(namespace);
  }
}
