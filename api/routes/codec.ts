import { z } from '@hono/zod-openapi';
import { Failure } from '../../domain/failure.ts';
import { route, type Route } from '../route.ts';
import { noParameters, noQuery } from '../schema/parameters.ts';
import type { RouteTools } from './tools.ts';
import { optional } from '../schema/optional.ts';

/** Temporal keeps payloads of up to 2 MiB, which are a third longer in base64. */
const maxBytes = 4_194_304;
const base64 = z.base64().max(maxBytes);
const payloadsSchema = z
  .object({
    payloads: z
      .array(
        z.object({
          metadata: optional(z.record(z.string().max(200), base64)),
          data: optional(base64),
        }),
      )
      .max(1000),
  })
  .openapi('Payloads');

/**
 * Opens sealed payloads for Temporal's Web UI and command line (docs.temporal.io, "Codec Server"), with the caller's own
 * rights. There is no route that seals: nobody but our processes writes histories.
 */
export const decodePayloadsRoute = (tools: RouteTools): Route =>
  route(
    {
      kind: 'Payloads',
      tag: 'Codec',
      method: 'post',
      path: '/codec/decode',
      operationId: 'decodePayloads',
      summary: "Open sealed payloads of Temporal's histories",
      access: { verb: 'get', resource: 'payloads' },
      params: noParameters,
      query: noQuery,
      body: { schema: payloadsSchema, maxBytes },
      answers: { 200: { description: 'The payloads, opened', schema: payloadsSchema } },
    },
    async ({ body }) => {
      if (tools.payloads === undefined) {
        throw new Failure('NotFound', { side: 'caller', detail: 'payloads are not sealed here' });
      }
      return { status: 200, body: { payloads: await tools.payloads.open(body.payloads) } };
    },
  );
