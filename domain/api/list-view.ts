import type { ListQuery } from './list-query.ts';

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
  search: string | undefined,
): ((item: T) => boolean)[] {
  const words = (search ?? '').toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [];
  const text = lowerText(view, fields);
  return [(item) => words.every((word) => text(item).includes(word))];
}

/** Between two values, so that no word is found across them. */
const separator = '\n';
/** What was put in lower case once; an item that changes is another object. */
const lowerTexts = new WeakMap<object, Map<string, string>>();

/** All of an item's searched values in lower case, kept for as long as the item is: a search looks at every item. */
function lowerText<T>(view: ListView<T>, fields: readonly string[]): (item: T) => string {
  const key = fields.join(separator);
  const readers = fields.flatMap((field) => view.fields[field] ?? []);
  const make = (item: T): string =>
    readers
      .map((read) => read(item))
      .join(separator)
      .toLowerCase();
  return (item) => {
    if (typeof item !== 'object' || item === null) return make(item);
    const known = lowerTexts.get(item) ?? new Map<string, string>();
    const text = known.get(key) ?? make(item);
    lowerTexts.set(item, known.set(key, text));
    return text;
  };
}

function equalsTest<T>(view: ListView<T>, field: string, value: string): (item: T) => boolean {
  const wanted = value.toLowerCase();
  const read = view.fields[field] ?? (() => '');
  return (item) => read(item).toLowerCase() === wanted;
}
