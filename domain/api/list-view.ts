import type { ListQuery } from './list-query.ts';
import type { ListRow } from './list-row.ts';

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

/** Whether a row is let through. */
export type RowTest<T> = (row: ListRow<T>) => boolean;

/** What is searched for. */
interface Search {
  readonly search?: string | undefined;
  readonly name?: string | undefined;
  readonly equals?: ListQuery['equals'] | undefined;
}

/** What a query's words and filters ask of each row. None: every row is let through. */
export function rowTests<T>(view: ListView<T>, query: Search): readonly RowTest<T>[] {
  return [
    ...wordTest(view, view.searched, query.search),
    ...wordTest(view, view.named, query.name),
    ...Object.entries(query.equals ?? {}).map(([field, value]) => equalsTest(view, field, value)),
  ];
}

/** Cuts one page out of items that are sorted and filtered already. A page past the end is empty. */
export function cutPage<T>(items: readonly T[], query: Pick<ListQuery, 'page' | 'limit'>): Page<T> {
  const start = (query.page - 1) * query.limit;
  return { items: items.slice(start, start + query.limit), totalItems: items.length };
}

/** Between two values, so that no word is found across them. */
const separator = '\n';

function wordTest<T>(view: ListView<T>, fields: readonly string[], search: string | undefined): RowTest<T>[] {
  const words = (search ?? '').toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [];
  const name = `lower ${fields.join(' ')}`;
  const readers = fields.flatMap((field) => view.fields[field] ?? []);
  const make = (item: T): string =>
    readers
      .map((read) => read(item))
      .join(separator)
      .toLowerCase();
  return words.map((word) => (row) => row.text(name, make).includes(word));
}

function equalsTest<T>(view: ListView<T>, field: string, value: string): RowTest<T> {
  const wanted = value.toLowerCase();
  const name = `lower ${field}`;
  const read = view.fields[field] ?? (() => '');
  const make = (item: T): string => read(item).toLowerCase();
  return (row) => row.text(name, make) === wanted;
}
