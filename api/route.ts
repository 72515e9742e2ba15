import type { z } from '@hono/zod-openapi';
import type { AccessQuestion, ReviewedResource } from '../infra/kubernetes/cluster.ts';
import type { Call } from './context.ts';

/** The right that a call needs, asked of the cluster's RBAC for the namespace and name in the path. */
export interface RouteAccess {
  readonly verb: string;
  readonly resource: ReviewedResource;
  readonly subresource?: string;
}

/** What a handler answers. `body` and `json` left out: no content. A stream is sent as it is. */
export interface Answer {
  readonly status: 200 | 201 | 204;
  readonly body?: object;
  /** The body where it is JSON already; instead of `body`. */
  readonly json?: Uint8Array<ArrayBuffer>;
  /** The workflow that was started, for the audit log. */
  readonly workflow?: { readonly id: string; readonly runId: string };
  readonly stream?: {
    readonly type: string;
    readonly source: ReadableStream<Uint8Array<ArrayBuffer>>;
    /** Default: none. */
    readonly headers?: Readonly<Record<string, string>>;
    /** Whether it is the part that a `Range` asked for (206). Default: false. */
    readonly partial?: boolean;
  };
}

/** A documented answer: what it means and its shape. */
export interface DocumentedAnswer {
  readonly description: string;
  readonly schema?: z.ZodType;
  /** Default: `application/json` only. All have the schema. */
  readonly contentTypes?: readonly string[];
}

/** One route: what it is, who may call it, what goes in and out. OpenAPI and the access matrix are made from it. */
export interface RouteSpec<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType> {
  readonly method: 'get' | 'post' | 'patch' | 'delete';
  /** Below the API's base, in OpenAPI's form: `/namespaces/{ns}/repositories`. */
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly tag: string;
  readonly access: RouteAccess;
  /** Kind that an error's details name. */
  readonly kind: string;
  /** Whether `_all_` is taken for the namespace; it needs the right cluster-wide. Default: false. */
  readonly allNamespaces?: boolean;
  readonly params: P;
  readonly query: Q;
  readonly body?: {
    readonly schema: B;
    /** What OpenAPI shows, where the schema says less. Default: the schema. */
    readonly documented?: z.ZodType;
    /** Largest body, in bytes. Default: 1 MiB. */
    readonly maxBytes?: number;
    /** Whether a call without a body counts as `{}`. Default: false. */
    readonly optional?: boolean;
    /** Default: `application/json` only. */
    readonly contentTypes?: readonly string[];
  };
  readonly answers: Readonly<Record<number, DocumentedAnswer>>;
}

/** A route and what it does. */
export interface Route {
  readonly spec: RouteSpec<z.ZodObject, z.ZodObject, z.ZodType>;
  readonly handle: (call: Call<unknown, unknown, unknown>) => Promise<Answer>;
}

/** Ties a handler to its route; the parameters, query and body it sees are those that the route parses. */
export function route<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType>(
  spec: RouteSpec<P, Q, B>,
  handle: (call: Call<z.output<P>, z.output<Q>, z.output<B>>) => Promise<Answer>,
): Route {
  // The mount parses with this very spec before it calls, which is what makes the wider type true.
  return { spec, handle: handle as Route['handle'] };
}

/** The namespace that spans all. */
export const allNamespaces = '_all_';

/** The question that a route's access asks for one call. */
export function accessQuestion(
  access: RouteAccess,
  params: Readonly<Record<string, string>>,
): AccessQuestion {
  const namespace = params['ns'];
  const name = params['name'];
  return {
    verb: access.verb,
    resource: access.resource,
    ...(access.subresource === undefined ? {} : { subresource: access.subresource }),
    ...(namespace === undefined || namespace === allNamespaces ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
  };
}
