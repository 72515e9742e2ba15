import { z } from '@hono/zod-openapi';
import { parseLimit, parsePage, parseSort, type ListQuery } from '../../domain/api/list-query.ts';
import type { ListView } from '../../domain/api/list-view.ts';

const namespace = z.string().openapi({ description: 'Namespace', example: 'default' });

/** `{ns}` of a list: `_all_` spans all namespaces. */
export const listParameters = z.object({
  ns: namespace.openapi({ description: 'Namespace, or `_all_`', example: '_all_' }),
});
export const namespaceParameters = z.object({ ns: namespace });
export const objectParameters = z.object({ ns: namespace, name: z.string() });
export const clusterParameters = z.object({ name: z.string() });
export const noParameters = z.object({});

/** Query of a call that takes none. Unknown parameters are passed over, as Kubernetes does. */
export const noQuery = z.object({});

/** Query of every list; a list's own filters are added to it. */
export const listQuerySchema = z.object({
  page: z.string().exactOptional().openapi({ description: 'From 1. Default 1', example: '1' }),
  limit: z.string().exactOptional().openapi({ description: '1 to 500. Default 10', example: '10' }),
  search: z.string().max(200).exactOptional().openapi({ description: 'Words that must all occur' }),
  name: z.string().max(200).exactOptional().openapi({ description: 'Part of the name or display name' }),
  sort: z
    .string()
    .max(50)
    .exactOptional()
    .openapi({ description: 'A field, with `-` for descending', example: 'name' }),
});

/** Makes a list's query of its text. Parameters other than the five of every list are filters on a field's value. */
export function listQuery<T>(
  query: z.output<typeof listQuerySchema> & Readonly<Record<string, string | undefined>>,
  view: ListView<T>,
): ListQuery {
  const { page, limit, search, name, sort, ...filters } = query;
  const equals = Object.entries(filters).filter(
    (filter): filter is [string, string] => filter[1] !== undefined,
  );
  return {
    page: parsePage(page),
    limit: parseLimit(limit),
    ...(search === undefined ? {} : { search }),
    ...(name === undefined ? {} : { name }),
    equals: Object.fromEntries(equals),
    sort: parseSort(sort, Object.keys(view.fields)),
  };
}
