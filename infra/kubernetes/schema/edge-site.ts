import { z } from 'zod';
import type { EdgeSiteSpec, EdgeSiteStatus } from '../../../domain/resources/edge-site.ts';
import {
  conditionsField,
  digestField,
  domainField,
  durationField,
  nameField,
  registryAccessFields,
  timeField,
} from './rules.ts';

export const edgeSiteSpec = z.object({
  mode: z.enum(['connected', 'offline']).meta({ default: 'connected' }).exactOptional(),
  default: z.boolean().exactOptional(),
  registry: z.object({
    ...registryAccessFields,
    domain: domainField,
    pathPrefix: z.string().max(200).exactOptional(),
    credentialSecretName: nameField.exactOptional(),
  }),
  location: z.string().max(200).exactOptional(),
  priority: z.int().min(-1000).max(1000).exactOptional(),
  bandwidth: z.int().min(1024).exactOptional(),
  kubeconfigSecretName: nameField.exactOptional(),
  capacity: z.int().min(1).exactOptional(),
  worker: z.boolean().exactOptional(),
  bundle: z
    .object({
      schedule: z.string().max(120).exactOptional(),
      afterSync: z.boolean().exactOptional(),
      maxBytes: z.int().min(1).exactOptional(),
      expiresAfter: durationField.exactOptional(),
      receiptKey: z.string().max(4096).exactOptional(),
    })
    .exactOptional(),
}) satisfies z.ZodType<EdgeSiteSpec>;

export const edgeSiteStatus = z.object({
  observedGeneration: z.int().exactOptional(),
  conditions: conditionsField.exactOptional(),
  acknowledged: z.object({ sequence: z.int(), digest: digestField, time: timeField }).exactOptional(),
  inventory: z.object({ digest: digestField, time: timeField, parts: z.int() }).exactOptional(),
  stagedSequence: z.int().exactOptional(),
}) satisfies z.ZodType<EdgeSiteStatus>;
