import { z } from '@hono/zod-openapi';
import { optional } from './optional.ts';

/** Kubernetes' `Status`, the body of every error. */
export const statusSchema = z
  .object({
    apiVersion: z.literal('v1'),
    kind: z.literal('Status'),
    metadata: z.object({}),
    status: z.literal('Failure'),
    message: z.string().openapi({ description: 'For people, in the language of Accept-Language (en or zh)' }),
    reason: z.string().openapi({ description: "Kubernetes' own reason where there is one, else our code" }),
    details: z.object({
      name: z.string(),
      kind: z.string(),
      code: z.string().openapi({ description: 'Stable code' }),
      messages: z.object({ en: z.string(), zh: z.string() }),
      retryAfterSeconds: optional(z.int()),
      requestId: optional(z.string()),
    }),
    code: z.int(),
  })
  .openapi('Status');
