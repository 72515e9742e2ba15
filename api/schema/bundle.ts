import { z } from '@hono/zod-openapi';
import type { ImageBundle } from '../../domain/resources/image-bundle.ts';
import { conditionSchema, listSchema, metaSchema, outgoingType } from './meta.ts';
import { optional } from './optional.ts';

/** A staged bundle as it is answered. */
export const imageBundleSchema = z
  .object({
    ...outgoingType('ImageBundle'),
    metadata: metaSchema,
    spec: z.object({ site: z.string(), sequence: z.int(), kind: z.enum(['delta', 'full', 'inventory']) }),
    status: optional(
      z.object({
        observedGeneration: optional(z.int()),
        conditions: optional(z.array(conditionSchema)),
        phase: optional(
          z.enum(['Pending', 'Staging', 'Staged', 'Acknowledged', 'Failed', 'Expired', 'Collected']),
        ),
        progress: optional(z.string()),
        digest: optional(z.string()),
        baseSequence: optional(z.int()),
        images: optional(z.int()),
        bytes: optional(z.object({ full: z.int(), carried: z.int(), saved: z.int() })),
        created: optional(z.string()),
        expires: optional(z.string()),
        receipt: optional(z.object({ time: z.string(), result: z.string() })),
      }),
    ),
  })
  .openapi('ImageBundle') satisfies z.ZodType<ImageBundle>;

export const imageBundleListSchema = listSchema('ImageBundle', imageBundleSchema);

/** What is to be staged. */
export const stageRequestSchema = z
  .strictObject({ kind: z.enum(['delta', 'full', 'inventory']).default('delta') })
  .openapi('StageBundleRequest');

/** A receipt: the file that the import wrote, as it is. */
export const receiptSchema = z
  .object({
    payloadType: z.string().max(200),
    payload: z.string().max(4 * 1024 * 1024),
    signatures: z.array(z.object({ keyid: z.string().max(200), sig: z.string().max(200) })).max(16),
  })
  .openapi('Receipt');

export const receiptAnswerSchema = z
  .object({
    success: z.literal(true),
    message: z.string(),
    sequence: z.int(),
    verdict: z.enum(['advance', 'repeat', 'stale']),
  })
  .openapi('ReceiptAnswer');

export const inventoryAnswerSchema = z
  .object({
    success: z.literal(true),
    message: z.string(),
    takenAt: z.string(),
    parts: z.int(),
    verdict: z.enum(['advance', 'repeat', 'stale']),
  })
  .openapi('InventoryAnswer');

const site = z.string().openapi({ example: 'plant-7' });
const seq = z.string().regex(/^[1-9][0-9]{0,14}$/);
export const siteParameters = z.object({ site });
export const bundleParameters = z.object({ site, seq });
