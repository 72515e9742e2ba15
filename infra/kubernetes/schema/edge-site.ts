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
  withRules,
} from './rules.ts';

const clock = (rule: string, message: string) =>
  withRules(z.string().min(5).max(8), { rule: `self.matches('${rule}')`, message });

const syncPeriod = withRules(
  z.object({
    days: z
      .array(z.enum(['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']))
      .min(1)
      .max(7)
      .exactOptional(),
    from: clock('^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$', 'expected a time of day such as 22:00'),
    to: clock(
      '^(([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?|24:00(:00)?)$',
      'expected a time of day such as 06:00, or 24:00',
    ),
  }),
  { rule: 'self.from != self.to', message: 'a whole day is written from 00:00 to 24:00' },
);

const publicKeyField = withRules(z.string().max(4096), {
  rule: "self.startsWith('-----BEGIN PUBLIC KEY-----')",
  message: 'expected a public key in PEM, as imageferry trust pin prints it',
});

const edgeSiteFields = z.object({
  mode: z.enum(['connected', 'offline']).meta({ default: 'connected' }).exactOptional(),
  default: z.boolean().exactOptional(),
  registry: z.object({
    ...registryAccessFields,
    domain: domainField,
    pathPrefix: z.string().max(200).exactOptional(),
    provider: z.string().min(1).max(63).exactOptional(),
    credentialSecretName: nameField.exactOptional(),
  }),
  location: z.string().max(200).exactOptional(),
  priority: z.int().min(-1000).max(1000).exactOptional(),
  bandwidth: z.int().min(1024).exactOptional(),
  kubeconfigSecretName: nameField.exactOptional(),
  reportsUsage: z.boolean().exactOptional(),
  capacity: z.int().min(1).exactOptional(),
  syncWindow: z
    .object({
      timeZone: z.string().min(1).max(64).exactOptional(),
      periods: z.array(syncPeriod).min(1).max(20),
    })
    .exactOptional(),
  worker: z.boolean().exactOptional(),
  source: z.enum(['upstream', 'pool', 'auto']).meta({ default: 'upstream' }).exactOptional(),
  bundle: z
    .object({
      schedule: z.string().max(120).exactOptional(),
      afterSync: z.boolean().exactOptional(),
      maxBytes: z.int().min(1).exactOptional(),
      expiresAfter: durationField.exactOptional(),
      receiptKey: publicKeyField.exactOptional(),
      usageMaxAge: durationField.exactOptional(),
    })
    .exactOptional(),
});

/** What of it limits the copies to a site. */
export const limitingFields = edgeSiteFields.pick({ bandwidth: true, syncWindow: true });

export const edgeSiteSpec = withRules(
  edgeSiteFields,
  {
    rule: "!has(self.source) || self.source == 'upstream' || (has(self.worker) && self.worker)",
    message: 'source is for a site with a worker of its own',
  },
  {
    rule: `!has(self.reportsUsage) || !self.reportsUsage || ((has(self.mode) && self.mode == 'offline') ? (has(self.bundle) && has(self.bundle.receiptKey)) : (has(self.worker) && self.worker))`,
    message: 'reportsUsage is for a site with a worker of its own, or an offline one with bundle.receiptKey',
  },
) satisfies z.ZodType<EdgeSiteSpec>;

export const edgeSiteStatus = z.object({
  observedGeneration: z.int().exactOptional(),
  conditions: conditionsField.exactOptional(),
  acknowledged: z.object({ sequence: z.int(), digest: digestField, time: timeField }).exactOptional(),
  inventory: z.object({ digest: digestField, time: timeField, parts: z.int() }).exactOptional(),
  usage: z.object({ digest: digestField, observed: timeField, images: z.int() }).exactOptional(),
  stagedSequence: z.int().exactOptional(),
}) satisfies z.ZodType<EdgeSiteStatus>;
