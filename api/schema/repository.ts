import { z } from '@hono/zod-openapi';
import { syncTriggers, type Repository, type RepositorySpec } from '../../domain/resources/repository.ts';
import { editFields } from './edits.ts';
import {
  conditionSchema,
  incomingType,
  listSchema,
  metaSchema,
  newMetaSchema,
  outgoingType,
} from './meta.ts';
import { optional } from './optional.ts';

const duration = z.string().max(40);
const pattern = z.string().max(1000);

const tagSelectorSchema = z
  .strictObject({
    glob: optional(pattern),
    regex: optional(pattern),
    semver: optional(pattern),
    newest: optional(z.int().min(1).max(10_000)),
    orderBy: optional(z.enum(['semver', 'name', 'created'])),
    exclude: optional(z.array(pattern).max(100)),
    cap: optional(z.int().min(1).max(10_000)),
  })
  .openapi('TagSelector');

const platformsSchema = z
  .strictObject({
    mode: z.enum(['all', 'sparse', 'rewrite']),
    platforms: optional(z.array(z.string().max(100)).max(50)),
  })
  .openapi('PlatformSelection');

const verificationSchema = z
  .strictObject({
    publicKey: optional(z.string().max(16_384)).openapi({
      description: 'PEM PUBLIC KEY blocks, ECDSA P-256 or ed25519; one of them must have signed',
    }),
    publicKeyRef: optional(
      z.strictObject({
        kind: z.enum(['Secret', 'ConfigMap']),
        name: z.string().max(253),
        key: optional(z.string().min(1).max(253)).openapi({ description: 'Default cosign.pub' }),
      }),
    ),
    annotations: optional(z.record(z.string().max(253), z.string().max(1000))).openapi({
      description: 'What the signed text must carry',
    }),
  })
  .openapi('ImageVerification', { description: 'Exactly one of publicKey and publicKeyRef' });

const repositorySpecSchema = z
  .object({
    repository: z.string().max(300).openapi({ description: 'Path, no tag', example: 'library/nginx' }),
    tag: z.string().max(200).openapi({ example: '1.27' }),
    registryRef: z.strictObject({ name: z.string().max(253), namespace: optional(z.string().max(63)) }),
    syncInterval: optional(duration).openapi({ description: 'Default 1h', example: '1h' }),
    syncTimeout: optional(duration).openapi({ description: 'Default 10m', example: '10m' }),
    retryCount: optional(z.int().min(0).max(100)).openapi({ description: 'Default 3' }),
    retryInterval: optional(duration),
    sites: optional(z.array(z.string().max(63)).max(1000)),
    platforms: optional(platformsSchema),
    tagSelector: optional(tagSelectorSchema),
    pinnedDigest: optional(z.string().max(200)),
    prune: optional(z.boolean()),
    suspend: optional(z.boolean()),
    verification: optional(verificationSchema),
  })
  .openapi('RepositorySpec') satisfies z.ZodType<RepositorySpec>;

/** An edit of a Repository. The three fields of its identity are let through only to be refused by name. */
export const repositoryEditSchema = z
  .strictObject({
    ...editFields,
    spec: optional(
      z.strictObject({
        repository: z.unknown().optional(),
        tag: z.unknown().optional(),
        registryRef: z.unknown().optional(),
        syncInterval: optional(duration.nullable()),
        syncTimeout: optional(duration.nullable()),
        retryCount: optional(z.int().min(0).max(100).nullable()),
        retryInterval: optional(duration.nullable()),
        sites: optional(z.array(z.string().max(63)).max(1000).nullable()),
        platforms: optional(platformsSchema.nullable()),
        tagSelector: optional(tagSelectorSchema.nullable()),
        pinnedDigest: optional(z.string().max(200).nullable()),
        prune: optional(z.boolean().nullable()),
        suspend: optional(z.boolean().nullable()),
        verification: optional(verificationSchema.nullable()),
      }),
    ),
  })
  .openapi('RepositoryEdit');

/** A Repository that a caller creates. A field of `spec` that there is not is refused: a misspelt one would be lost without a word. */
export const newRepositorySchema = z
  .object({
    ...incomingType('Repository'),
    metadata: newMetaSchema,
    spec: repositorySpecSchema.strict().openapi('NewRepositorySpec'),
  })
  .openapi('NewRepository');

const manifestSchema = z
  .object({
    architecture: z.string(),
    os: z.string(),
    size: z.string().openapi({ example: '142MB' }),
    created: optional(z.string()),
    layers: z.array(z.object({ digest: z.string(), size: z.string() })),
  })
  .openapi('ManifestStatus');

/** One version that the tag had. */
export const versionSchema = z
  .object({
    tag: z.string(),
    digest: z.string(),
    seen: z.string(),
    placed: optional(z.string()),
    syncId: optional(z.string()),
  })
  .openapi('Version');

/** One finished sync. */
export const syncRecordSchema = z
  .object({
    id: z.string(),
    trigger: z.enum(syncTriggers),
    result: z.enum(['Success', 'Failed', 'Unchanged', 'Cancelled', 'Waiting']),
    started: z.string(),
    ended: z.string(),
    digest: optional(z.string()),
    bytesMoved: z.number(),
    bytesReused: z.number(),
    reason: optional(z.string()),
    message: optional(z.string()),
    workflowId: z.string(),
    runId: z.string(),
  })
  .openapi('SyncRecord');

/** A Repository as it is answered. */
export const repositorySchema = z
  .object({
    ...outgoingType('Repository'),
    metadata: metaSchema,
    spec: repositorySpecSchema,
    status: optional(
      z.looseObject({
        observedGeneration: optional(z.int()),
        domain: optional(z.string()),
        syncStatus: optional(z.enum(['Success', 'Failed', 'Syncing', ''])),
        syncProgress: optional(z.string()),
        lastSynced: optional(z.string()),
        digest: optional(z.string()),
        manifest: optional(manifestSchema),
        conditions: optional(z.array(conditionSchema)),
        versions: optional(z.array(versionSchema)),
        history: optional(z.array(syncRecordSchema)),
      }),
    ),
  })
  .openapi('Repository') satisfies z.ZodType<Repository>;

export const repositoryListSchema = listSchema('Repository', repositorySchema);

/** Answer of `sync`. */
export const syncAnswerSchema = z
  .object({
    success: z.literal(true),
    message: z.string(),
    workflowId: z.string(),
    runId: z.string(),
    alreadyRunning: z.boolean(),
  })
  .openapi('SyncAnswer');

/** Answer of `cancel-sync`. */
export const cancelAnswerSchema = z
  .object({ success: z.literal(true), message: z.string() })
  .openapi('CancelAnswer');
