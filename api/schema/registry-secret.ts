import { z } from '@hono/zod-openapi';
import type { RegistrySecret, RegistrySecretSpec } from '../../domain/resources/registry-secret.ts';
import {
  conditionSchema,
  incomingType,
  listSchema,
  metaSchema,
  newMetaSchema,
  outgoingType,
} from './meta.ts';
import { optional } from './optional.ts';

const capabilitySchema = z
  .object({
    scope: z.string(),
    actions: z.array(z.enum(['pull', 'push', 'delete', 'list'])),
  })
  .openapi('RegistryCapability');

/** How a registry is reached. */
export const registryAccessFields = {
  insecure: optional(z.boolean()).openapi({ description: 'Plain http. Default: only for loopback' }),
  caBundle: optional(z.string().max(262_144)).openapi({ description: 'PEM certificates to trust' }),
  allowPrivate: optional(z.boolean()),
  allowedRealms: optional(z.array(z.string().max(300)).max(20)),
  uploadOrigins: optional(z.array(z.string().max(300)).max(20)),
  gcSettleSeconds: optional(z.int().min(0).max(86_400)),
  gcDeletesUntagged: optional(z.boolean()),
};

const registrySecretSpecSchema = z
  .object({
    domain: z.string().max(300).openapi({ example: 'harbor.example.com:8443' }),
    username: z.string().min(1).max(1024),
    password: z
      .string()
      .min(1)
      .max(65_536)
      .openapi({ description: 'Never readable back', format: 'password' }),
    provider: z.string().max(63).openapi({ example: 'harbor' }),
    ...registryAccessFields,
    allowedNamespaces: optional(z.array(z.string().max(63)).max(1000)),
  })
  .openapi('RegistrySecretSpec') satisfies z.ZodType<RegistrySecretSpec>;

/** A RegistrySecret that a caller creates. A field of `spec` that there is not is refused. */
export const newRegistrySecretSchema = z
  .object({
    ...incomingType('RegistrySecret'),
    metadata: newMetaSchema,
    spec: registrySecretSpecSchema.strict().openapi('NewRegistrySecretSpec'),
  })
  .openapi('NewRegistrySecret');

export type NewRegistrySecret = z.output<typeof newRegistrySecretSchema>;

/** A RegistrySecret as it is answered: its password reads `<encrypted>`. */
export const registrySecretSchema = z
  .object({
    ...outgoingType('RegistrySecret'),
    metadata: metaSchema,
    spec: registrySecretSpecSchema,
    status: optional(
      z.object({
        observedGeneration: optional(z.int()),
        conditions: optional(z.array(conditionSchema)),
        lastVerified: optional(z.string()),
        capabilities: optional(z.array(capabilitySchema)),
        pullQuota: optional(
          z.object({ remaining: z.number(), limit: z.number(), windowSeconds: z.number() }),
        ),
        expires: optional(z.string()),
        secretName: optional(z.string()),
      }),
    ),
  })
  .openapi('RegistrySecret') satisfies z.ZodType<RegistrySecret>;

export const registrySecretListSchema = listSchema('RegistrySecret', registrySecretSchema);

/** Body of `verify`: all three to test them without storing, none to test what is stored. */
export const verifyRequestSchema = z
  .object({
    domain: optional(z.string().max(300)),
    username: optional(z.string().min(1).max(1024)),
    password: optional(z.string().min(1).max(65_536)).openapi({ format: 'password' }),
    provider: optional(z.string().max(63)).openapi({ description: 'Default: other' }),
    insecure: registryAccessFields.insecure,
    caBundle: registryAccessFields.caBundle,
    allowPrivate: registryAccessFields.allowPrivate,
    allowedRealms: registryAccessFields.allowedRealms,
  })
  .openapi('VerifyRequest');

/** How a connection test went. */
export const verifyAnswerSchema = z
  .object({
    success: z.boolean(),
    message: z.string().openapi({ example: '连接成功' }),
    reason: optional(z.string()).openapi({ description: 'Stable code of what went wrong' }),
    messages: z.object({ en: z.string(), zh: z.string() }),
    workflowId: optional(z.string()),
  })
  .openapi('VerifyAnswer');
