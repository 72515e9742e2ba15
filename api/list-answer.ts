import type { ListRow } from '../domain/api/list-row.ts';
import type { Page } from '../domain/api/list-view.ts';
import type { Answer } from './route.ts';
import { groupVersion } from './schema/meta.ts';

/**
 * A page of a list in the contract's form. Its JSON is put together from that of its items, which rows keep: making it
 * anew for each answer took half of a busy API's processor time.
 */
export function listAnswer<T>(
  kind: string,
  page: Page<ListRow<T>>,
  jsonOf: (row: ListRow<T>) => string,
): Answer {
  const { items, totalItems } = page;
  const head = `"apiVersion":"${groupVersion}","kind":"${kind}List"`;
  const json = `{${head},"items":[${items.map(jsonOf).join(',')}],"totalItems":${totalItems}}`;
  return { status: 200, json };
}

/** The JSON of a row's item as `show` shows it, kept with the row. `show` must always say the same of an item. */
export const keptJson =
  <T>(show: (item: T) => object) =>
  (row: ListRow<T>): string =>
    row.text('json', (item) => JSON.stringify(show(item)));
