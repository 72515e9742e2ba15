import { z } from '@hono/zod-openapi';
import type { ImageCleanupPolicy } from '../../domain/resources/image-cleanup-policy.ts';
import { conditionSchema, listSchema, metaSchema, outgoingType } from './meta.ts';
import { optional } from './optional.ts';

const count = optional(z.int());

/** An ImageCleanupPolicy as it is answered; kubectl writes it. */
const cleanupPolicySchema = z
  .object({
    ...outgoingType('ImageCleanupPolicy'),
    metadata: metaSchema,
    spec: z.looseObject({
      keepRecent: count,
      keepDays: count,
      unusedDays: count,
      majorVersions: count,
      minorVersions: count,
      patches: count,
      schedule: optional(z.string()),
      namespaces: optional(z.array(z.string())),
      exclude: optional(z.array(z.object({ name: optional(z.string()), tag: optional(z.string()) }))),
      dryRun: optional(z.boolean()),
      requireApproval: optional(z.boolean()),
      gracePeriod: optional(z.string()),
    }),
    status: optional(
      z.looseObject({
        conditions: optional(z.array(conditionSchema)),
        phase: optional(z.enum(['Idle', 'Planning', 'AwaitingApproval', 'Grace', 'Deleting', 'Held'])),
        planHash: optional(z.string()),
        candidates: count,
        kept: count,
        deletions: count,
        graceUntil: optional(z.string()),
        freedBytes: optional(z.number()),
        lastRun: optional(z.string()),
      }),
    ),
  })
  .openapi('ImageCleanupPolicy') satisfies z.ZodType<ImageCleanupPolicy>;

export const cleanupPolicyListSchema = listSchema('ImageCleanupPolicy', cleanupPolicySchema);
