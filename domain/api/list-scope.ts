import type { ListQuery, SortOrder } from './list-query.ts';
import type { ListRow } from './list-row.ts';
import { rowTests, testedPage, type ListView, type Page } from './list-view.ts';
import { SortedList } from './sorted-list.ts';

/** The rows that one list is made of: all of a kind, or those of a namespace. Each order asked for once is kept up. */
export class ListScope<T> {
  readonly #view: ListView<T>;
  readonly #rows = new Map<string, ListRow<T>>();
  readonly #orders = new Map<string, SortedList<T>>();

  constructor(view: ListView<T>) {
    this.#view = view;
  }

  /** How many rows there are. */
  get size(): number {
    return this.#rows.size;
  }

  put(row: ListRow<T>): void {
    const before = this.#rows.get(row.identity);
    this.#rows.set(row.identity, row);
    for (const order of this.#orders.values()) order.change(before, row);
  }

  delete(identity: string): void {
    const before = this.#rows.get(identity);
    this.#rows.delete(identity);
    for (const order of this.#orders.values()) order.change(before, undefined);
  }

  page(query: ListQuery): Page<ListRow<T>> {
    return testedPage(this.#inOrder(query.sort).rows(), rowTests(this.#view, query), query);
  }

  /** At most two lists for each field of the view. */
  #inOrder(sort: SortOrder): SortedList<T> {
    const key = `${sort.descending ? '-' : ''}${sort.field}`;
    const known = this.#orders.get(key);
    if (known !== undefined) return known;
    const sorted = new SortedList(this.#view, sort, this.#rows.values());
    this.#orders.set(key, sorted);
    return sorted;
  }
}
