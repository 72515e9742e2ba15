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

const capabilitySchema = z
  .object({
    scope: z.string(),
    actions: z.array(z.enum(['pull', 'push', 'delete', 'list'])),
  })
  .openapi('RegistryCapability');

/** How a registry is reached. */
export const registryAccessFields = {
  insecure: z.boolean().exactOptional().openapi({ description: 'Plain http. Default: only for loopback' }),
  caBundle: z.string().max(262_144).exactOptional().openapi({ description: 'PEM certificates to trust' }),
  allowPrivate: z.boolean().exactOptional(),
  allowedRealms: z.array(z.string().max(300)).max(20).exactOptional(),
  gcSettleSeconds: z.int().min(0).max(86_400).exactOptional(),
  gcDeletesUntagged: z.boolean().exactOptional(),
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
    allowedNamespaces: z.array(z.string().max(63)).max(1000).exactOptional(),
  })
  .openapi('RegistrySecretSpec') satisfies z.ZodType<RegistrySecretSpec>;

/** A RegistrySecret that a caller creates. */
export const newRegistrySecretSchema = z
  .object({ ...incomingType('RegistrySecret'), metadata: newMetaSchema, spec: registrySecretSpecSchema })
  .openapi('NewRegistrySecret');

export type NewRegistrySecret = z.output<typeof newRegistrySecretSchema>;

/** A RegistrySecret as it is answered: its password reads `<encrypted>`. */
export const registrySecretSchema = z
  .object({
    ...outgoingType('RegistrySecret'),
    metadata: metaSchema,
    spec: registrySecretSpecSchema,
    status: z
      .object({
        observedGeneration: z.int().exactOptional(),
        conditions: z.array(conditionSchema).exactOptional(),
        lastVerified: z.string().exactOptional(),
        capabilities: z.array(capabilitySchema).exactOptional(),
        pullQuota: z
          .object({ remaining: z.number(), limit: z.number(), windowSeconds: z.number() })
          .exactOptional(),
        expires: z.string().exactOptional(),
        secretName: z.string().exactOptional(),
      })
      .exactOptional(),
  })
  .openapi('RegistrySecret') satisfies z.ZodType<RegistrySecret>;

export const registrySecretListSchema = listSchema('RegistrySecret', registrySecretSchema);

/** Body of `verify`: all three to test them without storing, none to test what is stored. */
export const verifyRequestSchema = z
  .object({
    domain: z.string().max(300).exactOptional(),
    username: z.string().min(1).max(1024).exactOptional(),
    password: z.string().min(1).max(65_536).exactOptional().openapi({ format: 'password' }),
    provider: z.string().max(63).exactOptional().openapi({ description: 'Default: other' }),
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
    reason: z.string().exactOptional().openapi({ description: 'Stable code of what went wrong' }),
    messages: z.object({ en: z.string(), zh: z.string() }),
    workflowId: z.string().exactOptional(),
  })
  .openapi('VerifyAnswer');
