import type { SortOrder } from './list-query.ts';
import type { ListRow } from './list-row.ts';
import type { ListView, RowTest } from './list-view.ts';

/**
 * The rows that pass some tests, in one order, in which each that changes is put in its place at once. Ties are broken by identity, so that pages
 * never overlap.
 */
export class SortedList<T> {
  readonly #key: (item: T) => string;
  readonly #sign: 1 | -1;
  readonly #tests: readonly RowTest<T>[];
  readonly #rows: ListRow<T>[];

  /** `tests` default: every row passes. */
  constructor(
    view: ListView<T>,
    order: SortOrder,
    rows: Iterable<ListRow<T>>,
    tests: readonly RowTest<T>[] = [],
  ) {
    this.#key = view.fields[order.field] ?? view.identity;
    this.#sign = order.descending ? -1 : 1;
    this.#tests = tests;
    const passing = [...rows].filter((row) => this.#passes(row));
    this.#rows = passing.sort((a, b) => this.#compare(a, b));
  }

  /** All rows in order, for now: the next change shows in the same array. */
  rows(): readonly ListRow<T>[] {
    return this.#rows;
  }

  /** Puts a row in the place of the one of the same identity. `before` undefined: it is new; `after` undefined: gone. */
  change(before: ListRow<T> | undefined, after: ListRow<T> | undefined): void {
    const from = before !== undefined && this.#passes(before) ? this.#placeOf(before) : undefined;
    const next = after !== undefined && this.#passes(after) ? after : undefined;
    if (from !== undefined && next !== undefined && this.#staysAt(from, next)) {
      this.#rows[from] = next;
      return;
    }
    if (from !== undefined) this.#rows.splice(from, 1);
    if (next !== undefined) this.#rows.splice(this.#placeOf(next), 0, next);
  }

  #passes(row: ListRow<T>): boolean {
    return this.#tests.every((test) => test(row));
  }

  /** Most changes do not touch the field that a list is sorted by. */
  #staysAt(place: number, row: ListRow<T>): boolean {
    const old = this.#rows[place];
    return old !== undefined && this.#compare(old, row) === 0;
  }

  /** Where a row is, or belongs. */
  #placeOf(row: ListRow<T>): number {
    let low = 0;
    let high = this.#rows.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const there = this.#rows[middle];
      if (there !== undefined && this.#compare(there, row) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #compare(a: ListRow<T>, b: ListRow<T>): number {
    return (
      this.#sign * (compareText(this.#key(a.item), this.#key(b.item)) || compareText(a.identity, b.identity))
    );
  }
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
