import { completeness, stagingStatus, type SkippedImage } from '../domain/bundle/bundle-status.ts';
import { parseStagePlan } from '../domain/bundle/parse-stage-plan.ts';
import type { BundleMark } from '../domain/bundle/site-state.ts';
import {
  bundleObjectName,
  type StagedImage,
  type StageOrder,
  type StagePlan,
} from '../domain/bundle/stage-plan.ts';
import { parseDuration } from '../domain/duration.ts';
import { asFailure, Failure } from '../domain/failure.ts';
import { parseDigest, type Digest } from '../domain/names/digest.ts';
import { parseSiteName, type SiteName } from '../domain/names/kubernetes-name.ts';
import type { EdgeSite } from '../domain/resources/edge-site.ts';
import type { ImageBundle } from '../domain/resources/image-bundle.ts';
import { apiGroup, apiVersion } from '../domain/resources/meta.ts';
import type { BundleDependencies } from './bundle-dependencies.ts';

/** A staging with Temporal's id of its run. */
export interface RunOrder extends StageOrder {
  readonly run: string;
}

/**
 * Takes the next free number; whoever else takes one at the same time gets another. A run that was cut off right after it
 * took one goes on with that: no number stays behind unused.
 */
export async function takeSequence(
  deps: BundleDependencies,
  edge: EdgeSite,
  order: RunOrder,
  images: readonly StagedImage[],
  previous: BundleMark | undefined,
): Promise<StagePlan> {
  const site = parseSiteName(edge.metadata.name);
  const { shelf } = deps.stager;
  const { acknowledged, stagedSequence } = edge.status ?? {};
  const taken = [...(await shelf.sequences(site)).keys()].at(-1) ?? 0;
  const own = taken === 0 ? undefined : await planOfRun(deps, site, taken, order.run);
  if (own !== undefined) return own;
  const first = Math.max(taken, acknowledged?.sequence ?? 0, stagedSequence ?? 0) + 1;
  for (let sequence = first; ; sequence += 1) {
    const plan = newPlan(deps, edge, { order, images, previous, sequence });
    if (await shelf.takeSequence(site, sequence, plan)) return plan;
    // Our own write may have arrived although its answer did not.
    const there = await planOfRun(deps, site, sequence, order.run);
    if (there !== undefined) return there;
  }
}

async function planOfRun(
  { stager: { shelf } }: BundleDependencies,
  site: SiteName,
  sequence: number,
  run: string,
): Promise<StagePlan | undefined> {
  const value = await shelf.plan(site, sequence);
  if (value === undefined || (await shelf.manifest(site, sequence)) !== undefined) return undefined;
  const plan = parseStagePlan(value, `${site}/${sequence}`);
  return plan.run === run ? plan : undefined;
}

interface PlanParts {
  readonly order: RunOrder;
  readonly images: readonly StagedImage[];
  readonly previous: BundleMark | undefined;
  readonly sequence: number;
}

function newPlan(
  deps: BundleDependencies,
  { metadata, spec, status }: EdgeSite,
  { order, images, previous, sequence }: PlanParts,
): StagePlan {
  const now = deps.now();
  const lifetime = parseDuration(spec.bundle?.expiresAfter ?? '720h');
  const { acknowledged } = status ?? {};
  const isDelta = acknowledged !== undefined && order.kind === 'delta';
  const maxBytes = spec.bundle?.maxBytes;
  return {
    site: parseSiteName(metadata.name),
    sequence,
    kind: order.kind,
    run: order.run,
    images,
    limits: {
      ...(maxBytes === undefined ? {} : { maxBytes }),
      ...(spec.capacity === undefined ? {} : { capacity: spec.capacity }),
    },
    createdAt: new Date(now).toISOString(),
    expires: new Date(now + lifetime).toISOString(),
    ...(previous === undefined ? {} : { previous }),
    ...(order.kind === 'inventory' ? { inventory: inventoryOf(status) } : {}),
    ...(isDelta
      ? { base: { sequence: acknowledged.sequence, digest: parseDigest(acknowledged.digest) } }
      : {}),
  };
}

function inventoryOf(status: EdgeSite['status']): Digest {
  if (status?.inventory !== undefined) return parseDigest(status.inventory.digest);
  throw new Failure('BaseMissing', { side: 'caller', detail: 'no inventory of this site has come in' });
}

/** Shows a planned bundle as an ImageBundle; the one that is there already where the step is tried again. */
export async function announce(
  deps: BundleDependencies,
  { site, sequence, kind, images, createdAt, expires, base }: StagePlan,
  skipped: readonly SkippedImage[],
): Promise<void> {
  const bundles = deps.resources.resource('imagebundles');
  const name = bundleObjectName(site, sequence);
  const object: ImageBundle = {
    apiVersion: `${apiGroup}/${apiVersion}`,
    kind: 'ImageBundle',
    metadata: { name },
    spec: { site, sequence, kind },
  };
  const created = await bundles.create(object).catch((error: unknown) => {
    if (asFailure(error).code === 'AlreadyExists') return bundles.get({ name });
    throw error;
  });
  const status = completeness(stagingStatus(undefined, 0, images.length), skipped, seconds(createdAt));
  await bundles.updateStatus({ name }, created?.metadata.uid ?? '', ({ status: before }) => ({
    ...before,
    ...status,
    created: seconds(createdAt),
    expires: seconds(expires),
    ...(base === undefined ? {} : { baseSequence: base.sequence }),
  }));
}

/** Kubernetes writes times in whole seconds. */
const seconds = (time: string): string => `${time.slice(0, 19)}Z`;
