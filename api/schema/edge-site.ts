import { z } from '@hono/zod-openapi';
import type { EdgeSite, EdgeSiteSpec } from '../../domain/resources/edge-site.ts';
import { editFields } from './edits.ts';
import {
  conditionSchema,
  incomingType,
  listSchema,
  metaSchema,
  newMetaSchema,
  outgoingType,
} from './meta.ts';
import { registryAccessFields } from './registry-secret.ts';

const short = z.string().max(300);

const edgeSiteSpecSchema = z
  .object({
    mode: z.enum(['connected', 'offline']).exactOptional(),
    default: z.boolean().exactOptional(),
    registry: z.object({
      domain: short.openapi({ example: 'registry.site-a.example' }),
      pathPrefix: short.exactOptional(),
      credentialSecretName: z.string().max(253).exactOptional(),
      ...registryAccessFields,
    }),
    location: short.exactOptional(),
    priority: z.int().exactOptional(),
    bandwidth: z.int().min(1).exactOptional().openapi({ description: 'Bytes per second' }),
    syncWindow: z.object({ start: short, duration: short, timeZone: short.exactOptional() }).exactOptional(),
    worker: z.boolean().exactOptional(),
    bundle: z
      .object({
        schedule: short.exactOptional(),
        expiresAfter: short.exactOptional(),
        maxBytes: z.int().min(1).exactOptional(),
        receiptKey: z.string().max(16_384).exactOptional(),
      })
      .exactOptional(),
  })
  .openapi('EdgeSiteSpec') satisfies z.ZodType<EdgeSiteSpec>;

/** An EdgeSite that a caller creates. */
export const newEdgeSiteSchema = z
  .object({ ...incomingType('EdgeSite'), metadata: newMetaSchema, spec: edgeSiteSpecSchema })
  .openapi('NewEdgeSite');

const editSpecSchema = z.object({
  ...edgeSiteSpecSchema.shape,
  registry: edgeSiteSpecSchema.shape.registry.exactOptional(),
});

/** An edit of an EdgeSite: fields given in `spec` replace those that are there. */
export const edgeSiteEditSchema = z
  .object({ ...editFields, spec: editSpecSchema.exactOptional() })
  .openapi('EdgeSiteEdit');

/** An EdgeSite as it is answered. */
export const edgeSiteSchema = z
  .object({
    ...outgoingType('EdgeSite'),
    metadata: metaSchema,
    spec: edgeSiteSpecSchema,
    status: z
      .looseObject({
        observedGeneration: z.int().exactOptional(),
        conditions: z.array(conditionSchema).exactOptional(),
        stagedSequence: z.int().exactOptional(),
      })
      .exactOptional(),
  })
  .openapi('EdgeSite') satisfies z.ZodType<EdgeSite>;

export const edgeSiteListSchema = listSchema('EdgeSite', edgeSiteSchema);
