import { z } from '@hono/zod-openapi';

/** Content types of an edit. */
export const editTypes = ['application/json', 'application/merge-patch+json'] as const;

const text = z.string().max(4096).nullable().exactOptional();

/** Fields of every edit; `null` removes. */
export const editFields = {
  displayName: text,
  description: text,
  owner: text,
  supportContact: text,
  metadata: z
    .object({ annotations: z.record(z.string().max(316), z.string().max(4096).nullable()).exactOptional() })
    .exactOptional(),
};
