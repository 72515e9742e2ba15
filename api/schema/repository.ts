import { z } from '@hono/zod-openapi';
import type { Repository, RepositorySpec } from '../../domain/resources/repository.ts';
import { editFields } from './edits.ts';
import {
  conditionSchema,
  incomingType,
  listSchema,
  metaSchema,
  newMetaSchema,
  outgoingType,
} from './meta.ts';

const duration = z.string().max(40);
const pattern = z.string().max(1000);

const tagSelectorSchema = z
  .object({
    glob: pattern.exactOptional(),
    regex: pattern.exactOptional(),
    semver: pattern.exactOptional(),
    newest: z.int().min(1).max(10_000).exactOptional(),
    orderBy: z.enum(['semver', 'name', 'created']).exactOptional(),
    exclude: z.array(pattern).max(100).exactOptional(),
    cap: z.int().min(1).max(10_000).exactOptional(),
  })
  .openapi('TagSelector');

const platformsSchema = z
  .object({
    mode: z.enum(['all', 'sparse', 'rewrite']),
    platforms: z.array(z.string().max(100)).max(50).exactOptional(),
  })
  .openapi('PlatformSelection');

const repositorySpecSchema = z
  .object({
    repository: z.string().max(300).openapi({ description: 'Path, no tag', example: 'library/nginx' }),
    tag: z.string().max(200).openapi({ example: '1.27' }),
    registryRef: z.object({ name: z.string().max(253), namespace: z.string().max(63).exactOptional() }),
    syncInterval: duration.exactOptional().openapi({ description: 'Default 1h', example: '1h' }),
    syncTimeout: duration.exactOptional().openapi({ description: 'Default 10m', example: '10m' }),
    retryCount: z.int().min(0).max(100).exactOptional().openapi({ description: 'Default 3' }),
    retryInterval: duration.exactOptional(),
    sites: z.array(z.string().max(63)).max(1000).exactOptional(),
    platforms: platformsSchema.exactOptional(),
    tagSelector: tagSelectorSchema.exactOptional(),
    pinnedDigest: z.string().max(200).exactOptional(),
    prune: z.boolean().exactOptional(),
    suspend: z.boolean().exactOptional(),
    alternativeSources: z
      .array(z.object({ name: z.string().max(253), repository: z.string().max(300).exactOptional() }))
      .max(20)
      .exactOptional(),
    verification: z.object({ publicKey: z.string().max(16_384) }).exactOptional(),
  })
  .openapi('RepositorySpec') satisfies z.ZodType<RepositorySpec>;

/** An edit of a Repository. The three fields of its identity are let through only to be refused by name. */
export const repositoryEditSchema = z
  .object({
    ...editFields,
    spec: z
      .strictObject({
        repository: z.unknown().optional(),
        tag: z.unknown().optional(),
        registryRef: z.unknown().optional(),
        syncInterval: duration.nullable().exactOptional(),
        syncTimeout: duration.nullable().exactOptional(),
        retryCount: z.int().min(0).max(100).nullable().exactOptional(),
        retryInterval: duration.nullable().exactOptional(),
        sites: z.array(z.string().max(63)).max(1000).nullable().exactOptional(),
        platforms: platformsSchema.nullable().exactOptional(),
        tagSelector: tagSelectorSchema.nullable().exactOptional(),
        pinnedDigest: z.string().max(200).nullable().exactOptional(),
        prune: z.boolean().nullable().exactOptional(),
        suspend: z.boolean().nullable().exactOptional(),
      })
      .exactOptional(),
  })
  .openapi('RepositoryEdit');

/** A Repository that a caller creates. */
export const newRepositorySchema = z
  .object({ ...incomingType('Repository'), metadata: newMetaSchema, spec: repositorySpecSchema })
  .openapi('NewRepository');

const manifestSchema = z
  .object({
    architecture: z.string(),
    os: z.string(),
    size: z.string().openapi({ example: '142MB' }),
    created: z.string().exactOptional(),
    layers: z.array(z.object({ digest: z.string(), size: z.string() })),
  })
  .openapi('ManifestStatus');

/** One version that the tag had. */
export const versionSchema = z
  .object({
    tag: z.string(),
    digest: z.string(),
    seen: z.string(),
    placed: z.string().exactOptional(),
    syncId: z.string().exactOptional(),
  })
  .openapi('Version');

/** One finished sync. */
export const syncRecordSchema = z
  .object({
    id: z.string(),
    trigger: z.enum(['create', 'manual', 'schedule', 'spec', 'batch', 'rollback', 'repair']),
    result: z.enum(['Success', 'Failed', 'Unchanged', 'Cancelled']),
    started: z.string(),
    ended: z.string(),
    digest: z.string().exactOptional(),
    bytesMoved: z.number(),
    bytesReused: z.number(),
    reason: z.string().exactOptional(),
    message: z.string().exactOptional(),
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
    status: z
      .looseObject({
        observedGeneration: z.int().exactOptional(),
        domain: z.string().exactOptional(),
        syncStatus: z.enum(['Success', 'Failed', 'Syncing', '']).exactOptional(),
        syncProgress: z.string().exactOptional(),
        lastSynced: z.string().exactOptional(),
        digest: z.string().exactOptional(),
        manifest: manifestSchema.exactOptional(),
        conditions: z.array(conditionSchema).exactOptional(),
        versions: z.array(versionSchema).exactOptional(),
        history: z.array(syncRecordSchema).exactOptional(),
      })
      .exactOptional(),
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
