import { z } from '@hono/zod-openapi';
import { parseLimit, parsePage, parseSort, type ListQuery } from '../../domain/api/list-query.ts';
import type { ListView } from '../../domain/api/list-view.ts';
import { optional } from './optional.ts';

const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const part = '[a-z0-9](?:[a-z0-9-]*[a-z0-9])?';
// The patterns are for readers of the document; the names themselves are parsed by domain/names.
const namespace = z.string().openapi({ description: 'Namespace', example: 'default', pattern: `^${label}$` });
const name = z.string().openapi({ example: 'nginx', pattern: `^${part}(?:\\.${part})*$`, maxLength: 253 });
const count = '^(?:[1-9][0-9]{0,14})?$';

/** `{ns}` of a list: `_all_` spans all namespaces. */
export const listParameters = z.object({
  ns: namespace.openapi({
    description: 'Namespace, or `_all_`',
    example: '_all_',
    pattern: `^(?:_all_|${label})$`,
  }),
});
export const namespaceParameters = z.object({ ns: namespace });
export const objectParameters = z.object({ ns: namespace, name });
export const clusterParameters = z.object({ name });
export const noParameters = z.object({});

/** Query of a call that takes none. Unknown parameters are passed over, as Kubernetes does. */
export const noQuery = z.object({});

/** Query of every list; a list's own filters are added to it. */
export const listQuerySchema = z.object({
  page: optional(z.string()).openapi({ description: 'From 1. Default 1', example: '1', pattern: count }),
  limit: optional(z.string()).openapi({ description: '1 to 500. Default 10', example: '10', pattern: count }),
  search: optional(z.string().max(200)).openapi({ description: 'Words that must all occur' }),
  name: optional(z.string().max(200)).openapi({ description: 'Part of the name or display name' }),
  sort: optional(z.string().max(50)).openapi({
    description: 'A field, with `-` for descending',
    example: 'name',
  }),
});

/**
 * Makes a list's query of its text. Parameters other than the five of every list are filters on a field's value;
 * an empty one, as forms send it, filters nothing.
 */
export function listQuery<T>(
  query: z.output<typeof listQuerySchema> & Readonly<Record<string, string | undefined>>,
  view: ListView<T>,
): ListQuery {
  const { page, limit, search, name, sort, ...filters } = query;
  const equals = Object.entries(filters).filter(
    (filter): filter is [string, string] => filter[1] !== undefined && filter[1] !== '',
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
