import type { ListQuery, SortOrder } from './list-query.ts';
import type { ListRow } from './list-row.ts';
import { cutPage, rowTests, type ListView, type Page } from './list-view.ts';
import { SortedList } from './sorted-list.ts';

/** Searches kept up at once: who scrolls through one, or looks again and again, finds it done. */
const maximumSearches = 32;

/** The rows that one list is made of: all of a kind, or those of a namespace. What was asked for once is kept up. */
export class ListScope<T> {
  readonly #view: ListView<T>;
  readonly #rows = new Map<string, ListRow<T>>();
  /** All rows, in each order; at most two for each field of the view. */
  readonly #orders = new Map<string, SortedList<T>>();
  /** Those that a search lets through. The one asked for last is last. */
  readonly #searches = new Map<string, SortedList<T>>();

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
    this.#change(before, row);
  }

  delete(identity: string): void {
    const before = this.#rows.get(identity);
    this.#rows.delete(identity);
    this.#change(before, undefined);
  }

  page(query: ListQuery): Page<ListRow<T>> {
    return cutPage(this.#found(query).rows(), query);
  }

  #change(before: ListRow<T> | undefined, after: ListRow<T> | undefined): void {
    for (const list of this.#orders.values()) list.change(before, after);
    for (const list of this.#searches.values()) list.change(before, after);
  }

  #found({ sort, search, name, equals }: ListQuery): SortedList<T> {
    const tests = rowTests(this.#view, { search, name, equals });
    if (tests.length === 0) return this.#inOrder(sort);
    const key = JSON.stringify([sort.field, sort.descending, search, name, equals]);
    const known = this.#searches.get(key);
    const found = known ?? new SortedList(this.#view, sort, this.#inOrder(sort).rows(), tests);
    this.#searches.delete(key);
    this.#searches.set(key, found);
    const [oldest] = this.#searches.keys();
    if (this.#searches.size > maximumSearches && oldest !== undefined) this.#searches.delete(oldest);
    return found;
  }

  #inOrder(sort: SortOrder): SortedList<T> {
    const key = `${sort.descending ? '-' : ''}${sort.field}`;
    const known = this.#orders.get(key);
    if (known !== undefined) return known;
    const sorted = new SortedList(this.#view, sort, this.#rows.values());
    this.#orders.set(key, sorted);
    return sorted;
  }
}
