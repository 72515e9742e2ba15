import { z } from 'zod';
import type { RegistrySecretSpec, RegistrySecretStatus } from '../../../domain/resources/registry-secret.ts';
import {
  conditionsField,
  domainField,
  immutable,
  nameField,
  registryAccessFields,
  timeField,
} from './rules.ts';

/**
 * `password` may come in again with the same value, because `kubectl apply` of an unchanged file sends it again; that
 * it is the same is for the webhook and the reconciler to check, who know the Secret.
 */
export const registrySecretSpec = z.object({
  ...registryAccessFields,
  domain: immutable(domainField, 'domain'),
  username: immutable(z.string().min(1).max(255), 'username'),
  password: z.string().min(1).max(8192),
  provider: immutable(z.string().min(1).max(63), 'provider'),
  allowedNamespaces: z.array(z.string().max(63)).max(256).exactOptional(),
}) satisfies z.ZodType<RegistrySecretSpec>;

export const registrySecretStatus = z.object({
  observedGeneration: z.int().exactOptional(),
  conditions: conditionsField.exactOptional(),
  lastVerified: timeField.exactOptional(),
  capabilities: z
    .array(
      z.object({
        scope: z.string().max(300),
        actions: z.array(z.enum(['pull', 'push', 'delete', 'list'])).max(4),
      }),
    )
    .max(200)
    .exactOptional(),
  pullQuota: z.object({ remaining: z.int(), limit: z.int(), windowSeconds: z.int() }).exactOptional(),
  expires: timeField.exactOptional(),
  secretName: nameField.exactOptional(),
}) satisfies z.ZodType<RegistrySecretStatus>;
