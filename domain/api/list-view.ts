import type { ListQuery, SortOrder } from './list-query.ts';

/** How a list of one kind can be searched and sorted. */
export interface ListView<T> {
  /** Text of each field that a list can be sorted by or filtered on. */
  readonly fields: Readonly<Record<string, (item: T) => string>>;
  /** Fields that `search` looks into. */
  readonly searched: readonly string[];
  /** Fields that `name` looks into. */
  readonly named: readonly string[];
  /** Breaks ties, unique for each item, so that pages never overlap. */
  readonly identity: (item: T) => string;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Items on all pages together. */
  readonly totalItems: number;
}

/** All items in the wanted order, ties broken by identity. */
export function sortItems<T>(items: readonly T[], view: ListView<T>, order: SortOrder): T[] {
  const key = view.fields[order.field] ?? view.identity;
  const direction = order.descending ? -1 : 1;
  const keyed = items.map((item) => ({ item, key: key(item), identity: view.identity(item) }));
  keyed.sort((a, b) => direction * compare(a.key, b.key) || compare(a.identity, b.identity));
  return keyed.map(({ item }) => item);
}

/** The items that a query's words and filters let through, in the given order. */
export function filterItems<T>(items: readonly T[], view: ListView<T>, query: ListQuery): readonly T[] {
  const tests = [
    ...wordTest(view, view.searched, query.search),
    ...wordTest(view, view.named, query.name),
    ...Object.entries(query.equals ?? {}).map(([field, value]) => equalsTest(view, field, value)),
  ];
  return tests.length === 0 ? items : items.filter((item) => tests.every((test) => test(item)));
}

/** Cuts one page out of items that are sorted and filtered already. A page past the end is empty. */
export function cutPage<T>(items: readonly T[], query: Pick<ListQuery, 'page' | 'limit'>): Page<T> {
  const start = (query.page - 1) * query.limit;
  return { items: items.slice(start, start + query.limit), totalItems: items.length };
}

function wordTest<T>(
  view: ListView<T>,
  fields: readonly string[],
  text: string | undefined,
): ((item: T) => boolean)[] {
  const words = (text ?? '').toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [];
  const readers = fields.flatMap((field) => view.fields[field] ?? []);
  return [
    (item) => {
      const values = readers.map((read) => read(item).toLowerCase());
      return words.every((word) => values.some((value) => value.includes(word)));
    },
  ];
}

function equalsTest<T>(view: ListView<T>, field: string, value: string): (item: T) => boolean {
  const wanted = value.toLowerCase();
  const read = view.fields[field] ?? (() => '');
  return (item) => read(item).toLowerCase() === wanted;
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
