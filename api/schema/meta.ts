import { z } from '@hono/zod-openapi';
import { apiGroup, apiVersion } from '../../domain/resources/meta.ts';
import { optional } from './optional.ts';

/** `image.theriseunion.io/v1alpha1`. */
export const groupVersion = `${apiGroup}/${apiVersion}` as const;

/** Annotations and labels: all strings. */
export const stringMapSchema = z.record(z.string().max(316), z.string().max(65_536));

/** Metadata of an object that a caller creates. */
export const newMetaSchema = z
  .object({
    name: z.string().max(253).openapi({ example: 'nginx' }),
    namespace: optional(z.string().max(63)),
    annotations: optional(stringMapSchema),
    labels: optional(stringMapSchema),
  })
  .openapi('NewObjectMeta');

/** Metadata as it is answered. */
export const metaSchema = z
  .object({
    name: z.string(),
    namespace: optional(z.string()),
    uid: optional(z.string()),
    generation: optional(z.int()),
    resourceVersion: optional(z.string()),
    creationTimestamp: optional(z.string()),
    deletionTimestamp: optional(z.string()),
    labels: optional(stringMapSchema),
    annotations: optional(stringMapSchema),
    finalizers: optional(z.array(z.string())),
  })
  .openapi('ObjectMeta');

export const conditionSchema = z
  .object({
    type: z.string(),
    status: z.enum(['True', 'False', 'Unknown']),
    reason: z.string(),
    message: z.string(),
    lastTransitionTime: z.string(),
    observedGeneration: optional(z.int()),
  })
  .openapi('Condition');

/** `apiVersion` and `kind` of an object that comes in: may be left out, but not be another. */
export const incomingType = <K extends string>(kind: K) => ({
  apiVersion: optional(z.literal(groupVersion)),
  kind: optional(z.literal(kind)),
});

/** `apiVersion` and `kind` of an object that goes out. */
export const outgoingType = <K extends string>(kind: K) => ({
  apiVersion: z.literal(groupVersion),
  kind: z.literal(kind),
});

/** A page of a list, in the contract's form. */
export const listSchema = <T extends z.ZodType>(kind: string, item: T) =>
  z
    .object({ ...outgoingType(`${kind}List`), items: z.array(item), totalItems: z.int().min(0) })
    .openapi(`${kind}List`);
