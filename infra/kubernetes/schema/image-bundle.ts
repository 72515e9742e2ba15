import { z } from 'zod';
import type { ImageBundleSpec, ImageBundleStatus } from '../../../domain/resources/image-bundle.ts';
import { conditionsField, digestField, immutable, labelField, textField, timeField } from './rules.ts';

export const imageBundleSpec = z.object({
  site: immutable(labelField, 'site'),
  sequence: immutable(z.int().min(1), 'sequence'),
  kind: immutable(z.enum(['delta', 'full', 'inventory']), 'kind'),
}) satisfies z.ZodType<ImageBundleSpec>;

export const imageBundleStatus = z.object({
  observedGeneration: z.int().exactOptional(),
  conditions: conditionsField.exactOptional(),
  phase: z
    .enum(['Pending', 'Staging', 'Staged', 'Acknowledged', 'Failed', 'Expired', 'Collected'])
    .exactOptional(),
  progress: z.string().max(16).exactOptional(),
  digest: digestField.exactOptional(),
  baseSequence: z.int().exactOptional(),
  images: z.int().exactOptional(),
  bytes: z.object({ full: z.int(), carried: z.int(), saved: z.int() }).exactOptional(),
  created: timeField.exactOptional(),
  expires: timeField.exactOptional(),
  receipt: z.object({ time: timeField, result: textField }).exactOptional(),
}) satisfies z.ZodType<ImageBundleStatus>;
