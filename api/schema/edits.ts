import { z } from '@hono/zod-openapi';
import { optional } from './optional.ts';

/** Content types of an edit. */
export const editTypes = ['application/json', 'application/merge-patch+json'] as const;

const text = optional(z.string().max(4096).nullable());

/** Fields of every edit; `null` removes. What else Kubernetes' objects have may come along and is not looked at. */
export const editFields = {
  apiVersion: z.unknown().optional(),
  kind: z.unknown().optional(),
  status: z.unknown().optional(),
  displayName: text,
  description: text,
  owner: text,
  supportContact: text,
  metadata: optional(
    z.object({ annotations: optional(z.record(z.string().max(316), z.string().max(4096).nullable())) }),
  ),
};
