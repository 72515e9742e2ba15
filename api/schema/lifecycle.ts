import { z } from '@hono/zod-openapi';
import { groupVersion } from './meta.ts';
import { optional } from './optional.ts';

/** Body of `rollback`. Another field is refused: a misspelt `sites` would mean all of them. */
export const rollbackRequestSchema = z
  .strictObject({
    digest: optional(z.string().max(200)).openapi({ description: 'Default: the version before this one' }),
    tag: optional(z.string().max(128)).openapi({ description: 'Default: the tag of the Repository' }),
    sites: optional(z.array(z.string().max(63)).max(1000)).openapi({
      description: 'Default: every site that the Repository goes to',
    }),
  })
  .openapi('RollbackRequest');

/** Body of `release`. */
export const releaseRequestSchema = rollbackRequestSchema.pick({ tag: true }).openapi('ReleaseRequest');

/** Answer of `rollback`. */
export const rollbackAnswerSchema = z
  .object({
    success: z.literal(true),
    message: z.string(),
    tag: z.string(),
    from: optional(z.string()),
    to: z.string(),
    done: z.boolean().openapi({ description: 'False: it goes on; watch the workflow' }),
    workflowId: z.string(),
    runId: z.string(),
  })
  .openapi('RollbackAnswer');

/** Answer of calls that only say that it is done. */
export const doneSchema = z.object({ success: z.literal(true), message: z.string() }).openapi('Done');

/** How two versions differ. */
export const comparisonSchema = z
  .object({
    from: z.string(),
    to: z.string(),
    sharedLayers: z.array(z.string()),
    addedLayers: z.array(z.string()),
    removedLayers: z.array(z.string()),
    sharedBytes: z.number(),
    addedBytes: z.number().openapi({ description: 'What a site that has `from` fetches to get `to`' }),
    removedBytes: z.number(),
  })
  .openapi('VersionComparison');

/** One tag of a plan. */
export const planItemSchema = z
  .object({
    site: z.string(),
    image: z.string().openapi({ description: 'Path upstream' }),
    path: z.string().openapi({ description: 'Path at the site' }),
    tag: z.string(),
    digest: z.string(),
    action: z.enum(['keep', 'delete']),
    reason: z.string(),
    bytes: z.number().openapi({ description: 'What deleting it frees' }),
    state: optional(z.enum(['planned', 'parking', 'parked', 'deleted', 'restored', 'skipped'])).openapi({
      description: 'Of a deletion, once the plan was approved',
    }),
    detail: optional(z.string()),
  })
  .openapi('CleanupPlanItem');

/** A plan with one page of its tags. */
export const planSchema = z
  .object({
    apiVersion: z.literal(groupVersion),
    kind: z.literal('CleanupPlan'),
    hash: z.string().openapi({ description: 'What an approval has to name' }),
    created: z.string(),
    holds: z.array(z.object({ code: z.string(), site: z.string(), path: z.string(), detail: z.string() })),
    items: z.array(planItemSchema),
    totalItems: z.int(),
  })
  .openapi('CleanupPlan');

/** Body of `approve`. */
export const approveRequestSchema = z.strictObject({ hash: z.string().max(140) }).openapi('ApproveRequest');

/** Body of `restore`. */
export const restoreRequestSchema = z
  .strictObject({
    tags: optional(z.array(z.string().max(400)).max(10_000)).openapi({
      description: '`tag` or `path:tag`. Default: all that is parked',
    }),
  })
  .openapi('RestoreRequest');

/** Answer of `restore`. */
export const restoreAnswerSchema = z
  .object({
    parked: z.int(),
    deleted: z.int(),
    restored: z.int(),
    skipped: z.int(),
    freedBytes: z.number(),
  })
  .openapi('RestoreAnswer');

/** Bytes at a site. */
export const storageLineSchema = z
  .object({
    site: z.string(),
    registry: z.string(),
    path: optional(z.string()),
    tag: optional(z.string()),
    images: z.int(),
    totalBytes: z.number(),
    uniqueBytes: z.number().openapi({ description: 'What deleting all of it would free' }),
    sharedBytes: z.number(),
  })
  .openapi('StorageLine');
