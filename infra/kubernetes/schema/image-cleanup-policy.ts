import { z } from 'zod';
import type {
  ImageCleanupPolicySpec,
  ImageCleanupPolicyStatus,
} from '../../../domain/resources/image-cleanup-policy.ts';
import { conditionsField, durationField, timeField } from './rules.ts';

const count = z.int().min(0).max(100_000);

export const imageCleanupPolicySpec = z.object({
  keepRecent: count.exactOptional(),
  keepDays: count.exactOptional(),
  unusedDays: count.exactOptional(),
  majorVersions: count.exactOptional(),
  minorVersions: count.exactOptional(),
  patches: count.exactOptional(),
  schedule: z.string().min(5).max(120).exactOptional(),
  namespaces: z.array(z.string().max(63)).max(256).exactOptional(),
  exclude: z
    .array(z.object({ name: z.string().max(300).exactOptional(), tag: z.string().max(200).exactOptional() }))
    .max(256)
    .exactOptional(),
  dryRun: z.boolean().exactOptional(),
  requireApproval: z.boolean().exactOptional(),
  gracePeriod: durationField.exactOptional(),
}) satisfies z.ZodType<ImageCleanupPolicySpec>;

export const imageCleanupPolicyStatus = z.object({
  observedGeneration: z.int().exactOptional(),
  conditions: conditionsField.exactOptional(),
  phase: z.enum(['Idle', 'Planning', 'AwaitingApproval', 'Grace', 'Deleting', 'Held']).exactOptional(),
  planHash: z.string().max(140).exactOptional(),
  candidates: z.int().exactOptional(),
  kept: z.int().exactOptional(),
  deletions: z.int().exactOptional(),
  graceUntil: timeField.exactOptional(),
  freedBytes: z.int().exactOptional(),
  lastRun: timeField.exactOptional(),
}) satisfies z.ZodType<ImageCleanupPolicyStatus>;
