import { z } from 'zod';
import {
  syncTriggers,
  type RepositorySpec,
  type RepositoryStatus,
} from '../../../domain/resources/repository.ts';
import {
  conditionsField,
  digestField,
  durationField,
  immutable,
  labelField,
  nameField,
  pathField,
  tagField,
  textField,
  timeField,
  withRules,
} from './rules.ts';

const pattern = z.string().max(1000);

const verification = withRules(
  z.object({
    publicKey: withRules(z.string().max(16_384), {
      rule: "self.contains('-----BEGIN PUBLIC KEY-----')",
      message: 'publicKey holds PEM blocks that start with -----BEGIN PUBLIC KEY-----',
    }).exactOptional(),
    publicKeyRef: z
      .object({
        kind: z.enum(['Secret', 'ConfigMap']),
        name: nameField,
        key: z.string().min(1).max(253).exactOptional(),
      })
      .exactOptional(),
    annotations: z.record(z.string().max(253), z.string().max(1000)).exactOptional(),
  }),
  {
    rule: 'has(self.publicKey) != has(self.publicKeyRef)',
    message: 'verification needs exactly one of publicKey and publicKeyRef',
  },
);

export const repositorySpec = z.object({
  repository: immutable(pathField, 'repository'),
  tag: immutable(tagField, 'tag'),
  registryRef: immutable(z.object({ name: nameField, namespace: labelField.exactOptional() }), 'registryRef'),
  syncInterval: durationField.meta({ ...durationField.meta(), default: '1h' }).exactOptional(),
  syncTimeout: durationField.meta({ ...durationField.meta(), default: '10m' }).exactOptional(),
  retryCount: z.int().min(0).max(100).meta({ default: 3 }).exactOptional(),
  retryInterval: durationField.meta({ ...durationField.meta(), default: '10s' }).exactOptional(),
  sites: z.array(labelField).max(1000).exactOptional(),
  platforms: z
    .object({
      mode: z.enum(['all', 'sparse', 'rewrite']),
      platforms: z.array(z.string().max(100)).max(50).exactOptional(),
    })
    .exactOptional(),
  tagSelector: z
    .object({
      glob: pattern.exactOptional(),
      regex: pattern.exactOptional(),
      semver: pattern.exactOptional(),
      newest: z.int().min(1).max(10_000).exactOptional(),
      orderBy: z.enum(['semver', 'name', 'created']).exactOptional(),
      exclude: z.array(pattern).max(100).exactOptional(),
      cap: z.int().min(1).max(10_000).exactOptional(),
    })
    .exactOptional(),
  pinnedDigest: digestField.exactOptional(),
  pins: z
    .array(
      z.object({
        tag: tagField,
        digest: digestField,
        sites: z.array(z.string().max(63)).max(1000).exactOptional(),
      }),
    )
    .max(500)
    .exactOptional(),
  prune: z.boolean().exactOptional(),
  suspend: z.boolean().exactOptional(),
  verification: verification.exactOptional(),
}) satisfies z.ZodType<RepositorySpec>;

const manifest = z.object({
  architecture: z.string().max(64),
  os: z.string().max(64),
  size: z.string().max(32),
  created: timeField.exactOptional(),
  layers: z.array(z.object({ digest: digestField, size: z.string().max(20) })).max(512),
});

const site = z.object({
  site: z.string().max(63),
  state: z.enum(['Synced', 'Failed', 'Syncing', 'Staged', 'Pending']),
  target: z.string().max(800).exactOptional(),
  digest: digestField.exactOptional(),
  confirmed: timeField.exactOptional(),
  source: z.enum(['upstream', 'pool', 'both']).exactOptional(),
  reason: z.string().max(128).exactOptional(),
  message: textField.exactOptional(),
});

const tag = z.object({
  tag: z.string().max(128),
  digest: digestField,
  size: z.string().max(32).exactOptional(),
  state: z.enum(['Synced', 'Failed', 'Gone', 'Pending']),
  sites: z
    .array(
      z.object({
        site: z.string().max(63),
        state: z.enum(['Synced', 'Failed']),
        digest: digestField.exactOptional(),
        reason: z.string().max(128).exactOptional(),
      }),
    )
    .max(20)
    .exactOptional(),
});

const version = z.object({
  tag: z.string().max(128),
  digest: digestField,
  seen: timeField,
  placed: timeField.exactOptional(),
  syncId: z.string().max(300).exactOptional(),
});

const syncRecord = z.object({
  id: z.string().max(300),
  trigger: z.enum(syncTriggers),
  result: z.enum(['Success', 'Failed', 'Unchanged', 'Cancelled', 'Waiting']),
  started: timeField,
  ended: timeField,
  digest: digestField.exactOptional(),
  bytesMoved: z.int(),
  bytesReused: z.int(),
  reason: z.string().max(128).exactOptional(),
  message: textField.exactOptional(),
  workflowId: z.string().max(600),
  runId: z.string().max(100),
});

export const repositoryStatus = z.object({
  observedGeneration: z.int().exactOptional(),
  domain: z.string().max(260).exactOptional(),
  image: z.string().max(400).exactOptional(),
  syncStatus: z.enum(['Success', 'Failed', 'Syncing', '']).exactOptional(),
  syncProgress: z.string().max(16).exactOptional(),
  lastSynced: timeField.exactOptional(),
  digest: digestField.exactOptional(),
  manifest: manifest.exactOptional(),
  sites: z.array(site).max(1000).exactOptional(),
  tags: z.array(tag).max(200).exactOptional(),
  versions: z.array(version).max(100).exactOptional(),
  history: z.array(syncRecord).max(50).exactOptional(),
  conditions: conditionsField.exactOptional(),
}) satisfies z.ZodType<RepositoryStatus>;
