import { z } from '@hono/zod-openapi';
import { maximumBatch } from '../../domain/batch/operation.ts';

/** Operations of a batch. */
export const batchOperationSchema = z.enum(['create', 'delete', 'sync', 'verify']);

const itemSchema = z
  .looseObject({
    kind: z
      .enum(['Repository', 'RegistrySecret'])
      .exactOptional()
      .openapi({ description: 'Default: Repository' }),
    metadata: z.looseObject({ name: z.string().max(253), namespace: z.string().max(63).exactOptional() }),
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
    reason: z.string().exactOptional(),
    message: z.string().exactOptional(),
  })
  .openapi('BatchResult');

/** What was taken, what was refused and why. */
export const batchAnswerSchema = z
  .object({
    dryRun: z.boolean(),
    id: z
      .string()
      .exactOptional()
      .openapi({ description: 'For GET batches/{name}; absent where nothing was started' }),
    workflowId: z.string().exactOptional(),
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
