import type { z } from '@hono/zod-openapi';
import { Failure } from '../domain/failure.ts';
import { printable } from '../domain/names/digest.ts';
import { parseNamespace, parseObjectName } from '../domain/names/kubernetes-name.ts';
import type { ApiContext } from './context.ts';
import { readBody } from './middleware/body.ts';
import { allNamespaces, type Route } from './route.ts';

/** Namespace and name of the path. A malformed one is refused before anybody is asked about it. Throws `InvalidName`. */
export function parseNames(route: Route, params: Readonly<Record<string, string>>): Record<string, string> {
  const { ns, name } = params;
  if (ns !== undefined && !(ns === allNamespaces && route.spec.allNamespaces === true)) parseNamespace(ns);
  if (name !== undefined) parseObjectName(name);
  return { ...params };
}

/** Query and body of a call, by its route's schemas. Throws `InvalidRequest` and the failures of `readBody`. */
export async function parseInput(
  context: ApiContext,
  { spec }: Route,
): Promise<{ readonly query: unknown; readonly body: unknown }> {
  const query = parse('query', spec.query, singleValues(context.req.queries()));
  if (spec.body === undefined) return { query, body: undefined };
  return { query, body: parse('body', spec.body.schema, await readBody(context.req.raw, spec.body)) };
}

/** A parameter given twice has no meaning that both sides could agree on. */
function singleValues(queries: Readonly<Record<string, string[]>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(queries).map(([key, values]) => {
      if (values.length === 1 && values[0] !== undefined) return [key, values[0]];
      throw new Failure('InvalidRequest', {
        side: 'caller',
        detail: `query: ${printable(key)} is given twice`,
      });
    }),
  );
}

/** Parses with a schema. The failure names at most five wrong fields and never repeats a value. */
function parse<S extends z.ZodType>(what: string, schema: S, value: unknown): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issues = result.error.issues.slice(0, 5).map((issue) => {
    const path = issue.path.map(String).join('.');
    return printable(`${path === '' ? what : path}: ${issue.message}`);
  });
  throw new Failure('InvalidRequest', { side: 'caller', detail: issues.join('; ') });
}
