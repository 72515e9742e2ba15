import { Failure } from '../../../domain/failure.ts';
import { parseDigest } from '../../../domain/names/digest.ts';
import { makePlan } from '../../../activities/cleanup-plan.ts';
import type { PlanningDependencies } from '../../../activities/cleanup-dependencies.ts';
import type { CleanupPlan } from '../../../domain/lifecycle/plan.ts';
import { parseTag } from '../../../domain/names/tag.ts';
import type { ImageCleanupPolicySpec } from '../../../domain/resources/image-cleanup-policy.ts';
import type { RegistryAccess } from '../../../infra/copy/engine.ts';
import { createImageInspector } from '../../../infra/copy/image-inspector.ts';
import { createTagParking, type TagParking } from '../../../infra/copy/tag-parking.ts';
import { RegistryClients } from '../../../infra/registry/registry-client.ts';
import { createSiteRegistry } from '../../../infra/registry/site-registry.ts';
import { RegistryStore } from '../../../infra/registry/registry-store.ts';
import { memoryDocuments } from '../memory-documents.ts';
import { MemoryCluster } from '../memory-cluster.ts';
import { sampleImage, type SampleImage } from '../misbehaving-registry/images.ts';
import type { MisbehavingRegistry } from '../misbehaving-registry/registry.ts';
import { targetPath, type FaultWorld } from './world.ts';

/** A misbehaving registry as a site, a Repository that placed tags there, and the real planning and parking. */
export interface CleanupScene {
  readonly deps: PlanningDependencies;
  readonly site: MisbehavingRegistry;
  readonly parking: TagParking;
  readonly cluster: MemoryCluster;
  readonly images: ReadonlyMap<string, SampleImage>;
  /** Makes clusters unable to answer. */
  usageBroken: boolean;
  /** Epoch milliseconds; moves only where a test moves it. */
  now: number;
  plan(spec: ImageCleanupPolicySpec): Promise<CleanupPlan>;
  park(tag: string): ReturnType<TagParking['park']>;
  close(): Promise<void>;
}

const api = 'image.theriseunion.io/v1alpha1' as const;
const now = Date.UTC(2026, 5, 1);
const placed = '2026-01-01T00:00:00Z';

/** A scene with one image per tag; an image may be given twice. */
export async function cleanupScene(
  world: FaultWorld,
  tags: readonly string[],
  imageOf: (tag: string) => SampleImage = (tag) => sampleImage(`cleanup-${tag}`),
  own: { readonly site?: MisbehavingRegistry; readonly access?: Partial<RegistryAccess> } = {},
): Promise<CleanupScene> {
  const site = own.site ?? (await world.registry());
  const images = new Map(tags.map((tag) => [tag, imageOf(tag)]));
  for (const [tag, image] of images) site.hold(targetPath, image, tag);
  const clients = new RegistryClients({ headersTimeoutMs: 1500, idleTimeoutMs: 1500, longestWaitMs: 2000 });
  const open = ({ registry, path }: Parameters<Parameters<typeof createTagParking>[0]>[0]) =>
    new RegistryStore(clients.of(registry), path, 'destination');
  const endpoint = world.endpoint(site, targetPath, own.access);
  const parking = createTagParking(open);
  const scene = { usageBroken: false, now };
  const memory = await cluster(site, images, own.access?.provider);
  const deps: PlanningDependencies = {
    resources: memory,
    credentials: {
      ...new MemoryCluster().credentials,
      registryAccess: async () => endpoint.registry,
      siteAccess: async () => endpoint.registry,
    },
    inspector: createImageInspector(world.engine, open),
    documents: memoryDocuments(),
    usage: async () => [
      {
        name: 'hub',
        look: async () => {
          if (scene.usageBroken) throw new Failure('ClusterUnavailable', { side: 'cluster' });
          return { texts: [] };
        },
      },
    ],
    registries: createSiteRegistry(clients),
    events: { record: async () => {} },
    now: () => scene.now,
  };
  return Object.assign(scene, {
    deps,
    site,
    parking,
    cluster: memory,
    images,
    plan: (spec: ImageCleanupPolicySpec) =>
      makePlan(
        deps,
        { apiVersion: api, kind: 'ImageCleanupPolicy', metadata: { namespace: 'default', name: 'p' }, spec },
        new AbortController().signal,
      ),
    park: (tag: string) => parking.park(endpoint, parseTag(tag), parseDigest(images.get(tag)?.digest ?? '')),
    close: () => clients.close(),
  });
}

async function cluster(
  site: MisbehavingRegistry,
  images: ReadonlyMap<string, SampleImage>,
  provider = 'other',
): Promise<MemoryCluster> {
  const memory = new MemoryCluster();
  await memory.resource('edgesites').create({
    apiVersion: api,
    kind: 'EdgeSite',
    metadata: { name: 'edge' },
    spec: { default: true, registry: { domain: site.host, provider } },
  });
  await memory.resource('repositories').create({
    apiVersion: api,
    kind: 'Repository',
    metadata: { namespace: 'default', name: 'app' },
    spec: { repository: targetPath, tag: 'none', tagSelector: { glob: '*' }, registryRef: { name: 'hub' } },
    status: {
      versions: [...images].map(([tag, { digest }]) => ({ tag, digest, seen: placed, placed })),
    },
  });
  return memory;
}
