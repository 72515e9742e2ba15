import type { SortOrder } from './list-query.ts';
import type { ListView } from './list-view.ts';

interface Entry<T> {
  readonly item: T;
  readonly key: string;
  readonly identity: string;
}

/** Changes after which sorting anew is cheaper than putting each in its place. */
const manyChanges = 500;

/**
 * Items in one order that stay in it while single ones change: a change costs nothing until the list is looked at, and
 * then one pass, not a sort. Ties are broken by identity, so that pages never overlap.
 */
export class SortedList<T> {
  readonly #view: ListView<T>;
  readonly #order: SortOrder;
  readonly #changed = new Map<string, T | undefined>();
  #entries: readonly Entry<T>[] = [];
  #items: readonly T[] = [];

  constructor(view: ListView<T>, order: SortOrder, items: readonly T[]) {
    this.#view = view;
    this.#order = order;
    this.#replace(items.map((item) => this.#entry(item)).sort(this.#compare));
  }

  /** Notes that an item is new, has changed, or is gone. */
  change(item: T, gone: boolean): void {
    this.#changed.set(this.#view.identity(item), gone ? undefined : item);
  }

  /** All items in order. */
  items(): readonly T[] {
    if (this.#changed.size === 0) return this.#items;
    const kept = this.#entries.filter(({ identity }) => !this.#changed.has(identity));
    const fresh = [...this.#changed.values()].flatMap((item) =>
      item === undefined ? [] : [this.#entry(item)],
    );
    this.#changed.clear();
    const many = fresh.length > manyChanges;
    this.#replace(
      many ? [...kept, ...fresh].sort(this.#compare) : this.#merge(kept, fresh.sort(this.#compare)),
    );
    return this.#items;
  }

  #replace(entries: readonly Entry<T>[]): void {
    this.#entries = entries;
    this.#items = entries.map(({ item }) => item);
  }

  #merge(kept: readonly Entry<T>[], fresh: readonly Entry<T>[]): Entry<T>[] {
    const merged: Entry<T>[] = [];
    let next = 0;
    for (const entry of kept) {
      for (let one = fresh[next]; one !== undefined && this.#compare(one, entry) < 0; one = fresh[next]) {
        merged.push(one);
        next += 1;
      }
      merged.push(entry);
    }
    return merged.concat(fresh.slice(next));
  }

  #entry(item: T): Entry<T> {
    const key = this.#view.fields[this.#order.field] ?? this.#view.identity;
    return { item, key: key(item), identity: this.#view.identity(item) };
  }

  readonly #compare = (a: Entry<T>, b: Entry<T>): number =>
    (this.#order.descending ? -1 : 1) * (compareText(a.key, b.key) || compareText(a.identity, b.identity));
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
