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
import { optional } from './optional.ts';

const short = z.string().max(300);

const syncPeriodSchema = z.strictObject({
  days: optional(
    z
      .array(z.enum(['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']))
      .min(1)
      .max(7),
  ),
  from: z.string().max(8).openapi({ example: '22:00' }),
  to: z.string().max(8).openapi({ example: '06:00' }),
});

const edgeSiteSpecSchema = z
  .object({
    mode: optional(z.enum(['connected', 'offline'])),
    default: optional(z.boolean()),
    registry: z.strictObject({
      domain: short.openapi({ example: 'registry.site-a.example' }),
      pathPrefix: optional(short),
      provider: optional(z.string().min(1).max(63)).openapi({
        description: 'Kind of registry. Default: other',
        example: 'harbor',
      }),
      credentialSecretName: optional(z.string().max(253)),
      ...registryAccessFields,
    }),
    location: optional(short),
    priority: optional(z.int()),
    bandwidth: optional(z.int().min(1)).openapi({ description: 'Bytes per second' }),
    kubeconfigSecretName: optional(z.string().max(253)).openapi({
      description: 'Secret with the kubeconfig of its cluster',
    }),
    reportsUsage: optional(z.boolean()).openapi({
      description: 'Whether cleanups wait for its own word about what its Pods use',
    }),
    capacity: optional(z.int().min(1)).openapi({ description: 'Bytes that its registry may hold' }),
    syncWindow: optional(
      z.strictObject({ timeZone: optional(short), periods: z.array(syncPeriodSchema).min(1).max(20) }),
    ).openapi({ description: 'When copies to it may run' }),
    worker: optional(z.boolean()),
    source: optional(z.enum(['upstream', 'pool', 'auto'])).openapi({
      description: 'Where its own worker reads images. Default: upstream',
    }),
    bundle: optional(
      z.strictObject({
        schedule: optional(z.string().max(120)).openapi({ example: '0 3 * * 1' }),
        afterSync: optional(z.boolean()),
        maxBytes: optional(z.int().min(1)).openapi({ description: 'Bytes that one bundle may carry' }),
        expiresAfter: optional(short),
        receiptKey: optional(z.string().max(16_384)),
        usageMaxAge: optional(short).openapi({
          description: 'How long what it told of its usage counts. Default: 720h',
        }),
      }),
    ),
  })
  .openapi('EdgeSiteSpec') satisfies z.ZodType<EdgeSiteSpec>;

/** An EdgeSite that a caller creates. A field of `spec` that there is not is refused. */
export const newEdgeSiteSchema = z
  .object({
    ...incomingType('EdgeSite'),
    metadata: newMetaSchema,
    spec: edgeSiteSpecSchema.strict().openapi('NewEdgeSiteSpec'),
  })
  .openapi('NewEdgeSite');

const editSpecSchema = z.strictObject({
  ...edgeSiteSpecSchema.shape,
  registry: optional(edgeSiteSpecSchema.shape.registry),
});

/** An edit of an EdgeSite: fields given in `spec` replace those that are there. */
export const edgeSiteEditSchema = z
  .strictObject({ ...editFields, spec: optional(editSpecSchema) })
  .openapi('EdgeSiteEdit');

/** An EdgeSite as it is answered. */
export const edgeSiteSchema = z
  .object({
    ...outgoingType('EdgeSite'),
    metadata: metaSchema,
    spec: edgeSiteSpecSchema,
    status: optional(
      z.looseObject({
        observedGeneration: optional(z.int()),
        conditions: optional(z.array(conditionSchema)),
        stagedSequence: optional(z.int()),
      }),
    ),
  })
  .openapi('EdgeSite') satisfies z.ZodType<EdgeSite>;

export const edgeSiteListSchema = listSchema('EdgeSite', edgeSiteSchema);
