import { z } from '@hono/zod-openapi';
import { maximumBatch } from '../../domain/batch/operation.ts';
import { optional } from './optional.ts';

/** Operations of a batch. */
export const batchOperationSchema = z.enum(['create', 'delete', 'sync', 'verify']);

const itemSchema = z
  .looseObject({
    kind: optional(z.enum(['Repository', 'RegistrySecret'])).openapi({ description: 'Default: Repository' }),
    metadata: z.looseObject({ name: z.string().max(253), namespace: optional(z.string().max(63)) }),
  })
  .openapi('BatchItem', {
    description: 'To create: the whole object. Else: kind, metadata.name and metadata.namespace',
  });

export type BatchRequestItem = z.output<typeof itemSchema>;

/** What to do with which objects. */
export const batchRequestSchema = z
  .object({ operation: batchOperationSchema, items: z.array(itemSchema).min(1).max(maximumBatch) })
  .openapi('BatchRequest');

const resultSchema = z
  .object({
    index: z.int(),
    resource: z.string(),
    namespace: z.string(),
    name: z.string(),
    result: z.enum(['Waiting', 'Done', 'Failed', 'Refused']),
    reason: optional(z.string()),
    message: optional(z.string()),
  })
  .openapi('BatchResult');

/** What was taken, what was refused and why. */
export const batchAnswerSchema = z
  .object({
    dryRun: z.boolean(),
    id: optional(z.string()).openapi({
      description: 'For GET batches/{name}; absent where nothing was started',
    }),
    workflowId: optional(z.string()),
    total: z.int(),
    accepted: z.int(),
    refused: z.int(),
    results: z.array(resultSchema),
  })
  .openapi('BatchAnswer');

/** How far a batch has come. */
export const batchProgressSchema = z
  .object({
    id: z.string(),
    requestedBy: z.string(),
    total: z.int(),
    done: z.int(),
    failed: z.int(),
    finished: z.boolean(),
    results: z.array(resultSchema),
  })
  .openapi('BatchProgress');
