import { completeness, stagingStatus, type SkippedImage } from '../domain/bundle/bundle-status.ts';
import {
  bundleObjectName,
  type StagedImage,
  type StageOrder,
  type StagePlan,
} from '../domain/bundle/stage-plan.ts';
import { parseDuration } from '../domain/duration.ts';
import { asFailure, Failure } from '../domain/failure.ts';
import { pinOf } from '../domain/lifecycle/rollback.ts';
import { selectedTags, selectTags } from '../domain/lifecycle/tag-selection.ts';
import { parseDigest } from '../domain/names/digest.ts';
import { parseSiteName } from '../domain/names/kubernetes-name.ts';
import { parseTag, type TagName } from '../domain/names/tag.ts';
import type { EdgeSite } from '../domain/resources/edge-site.ts';
import { apiGroup, apiVersion } from '../domain/resources/meta.ts';
import type { Repository } from '../domain/resources/repository.ts';
import { factsOf } from '../domain/sync/failure-facts.ts';
import { chooseSites } from '../domain/sync/site-choice.ts';
import { sitePath } from '../domain/sync/site-path.ts';
import type { RepositoryEndpoint } from '../infra/copy/engine.ts';
import type { BundleDependencies } from './bundle-dependencies.ts';
import { sourceEndpoint } from './endpoints.ts';

/** What was planned, in a few words: the plan itself stays in the bucket. */
export interface PlannedBundle {
  readonly site: string;
  readonly sequence: number;
  readonly images: number;
}

/**
 * Decides what a bundle has to bring: every image that the site should have, its tag resolved once. A Repository whose
 * image is not to be had is left out, and the bundle says so; a registry that is only away makes the step run again.
 */
export async function planBundle(
  deps: BundleDependencies,
  order: StageOrder,
  signal: AbortSignal,
): Promise<PlannedBundle> {
  const sites = await deps.resources.resource('edgesites').list();
  const site = sites.find(({ metadata }) => metadata.name === order.site);
  if (site === undefined)
    throw new Failure('NotFound', { side: 'caller', subject: `edgesites ${order.site}` });
  if (site.spec.mode !== 'offline') {
    throw new Failure('InvalidRequest', { side: 'caller', detail: `${order.site} is a connected site` });
  }
  const repositories = await deps.resources.resource('repositories').list();
  const wanting = repositories.filter(({ spec }) => chooseSites(spec, sites).offline.includes(site));
  const [images, skipped]: [StagedImage[], SkippedImage[]] = [[], []];
  for (const repository of wanting) await look(deps, repository, site, images, skipped, signal);
  const [problem] = skipped;
  if (images.length === 0) {
    throw problem === undefined
      ? new Failure('NoSite', { side: 'caller', detail: `no Repository goes to ${order.site}` })
      : new Failure(problem.failure.code, problem.failure);
  }
  const plan = await takeSequence(deps, site, order, images);
  await announce(deps, plan, skipped);
  return { site: plan.site, sequence: plan.sequence, images: images.length };
}

async function look(
  deps: BundleDependencies,
  repository: Repository,
  site: EdgeSite,
  images: StagedImage[],
  skipped: SkippedImage[],
  signal: AbortSignal,
): Promise<void> {
  const { metadata, spec } = repository;
  const ref = { namespace: metadata.namespace ?? '', name: metadata.name };
  const registryRef = { namespace: spec.registryRef.namespace ?? ref.namespace, name: spec.registryRef.name };
  try {
    const order = { registryRef, repository: spec.repository, usedFrom: ref.namespace };
    const source = await sourceEndpoint(deps, order);
    for (const tag of await tagsOf(deps, repository, source, signal)) {
      const root = await deps.engine.resolve(source, pinOf(spec, tag) ?? tag, signal);
      if (root === undefined) throw new Failure('TagNotFound', { side: 'source', subject: tag });
      const { platforms } = spec;
      images.push({
        ref,
        registryRef,
        tag,
        root,
        source: spec.repository,
        repo: sitePath(site, spec.repository),
        ...(platforms === undefined ? {} : { platforms }),
      });
    }
  } catch (error) {
    const failure = asFailure(error);
    if (failure.retryable) throw failure;
    skipped.push({ name: `${ref.namespace}/${ref.name}`, failure: factsOf(failure) });
  }
}

async function tagsOf(
  deps: BundleDependencies,
  { spec }: Repository,
  source: RepositoryEndpoint,
  signal: AbortSignal,
): Promise<readonly TagName[]> {
  if (spec.tagSelector === undefined) return [parseTag(spec.tag)];
  const upstream = await deps.engine.listTags(source, signal);
  const known = upstream.map((tag) => ({ tag }));
  return selectedTags(selectTags(known, spec.tagSelector));
}

/** Takes the next free number; whoever else takes one at the same time gets another. */
async function takeSequence(
  deps: BundleDependencies,
  edge: EdgeSite,
  order: StageOrder,
  images: readonly StagedImage[],
): Promise<StagePlan> {
  const site = parseSiteName(edge.metadata.name);
  const { shelf } = deps.stager;
  const previous = await deps.stager.latest(site);
  const { acknowledged, stagedSequence } = edge.status ?? {};
  const lifetime = parseDuration(edge.spec.bundle?.expiresAfter ?? '720h');
  const now = deps.now();
  const taken = [...(await shelf.sequences(site)).keys()].at(-1) ?? 0;
  const first = Math.max(taken, acknowledged?.sequence ?? 0, stagedSequence ?? 0) + 1;
  for (let sequence = first; ; sequence += 1) {
    const plan: StagePlan = {
      site,
      sequence,
      kind: order.kind,
      images,
      createdAt: new Date(now).toISOString(),
      expires: new Date(now + lifetime).toISOString(),
      ...(previous === undefined ? {} : { previous }),
      ...(acknowledged === undefined || order.kind === 'full'
        ? {}
        : { base: { sequence: acknowledged.sequence, digest: parseDigest(acknowledged.digest) } }),
    };
    if (await shelf.takeSequence(site, sequence, plan)) return plan;
  }
}

async function announce(
  deps: BundleDependencies,
  { site, sequence, kind, images, createdAt, expires, base }: StagePlan,
  skipped: readonly SkippedImage[],
): Promise<void> {
  const bundles = deps.resources.resource('imagebundles');
  const name = bundleObjectName(site, sequence);
  const created = await bundles.create({
    apiVersion: `${apiGroup}/${apiVersion}`,
    kind: 'ImageBundle',
    metadata: { name },
    spec: { site, sequence, kind },
  });
  const status = completeness(stagingStatus(undefined, 0, images.length), skipped, seconds(createdAt));
  await bundles.applyStatus({ name }, created.metadata.uid ?? '', {
    ...status,
    created: seconds(createdAt),
    expires: seconds(expires),
    ...(base === undefined ? {} : { baseSequence: base.sequence }),
  });
}

/** Kubernetes writes times in whole seconds. */
const seconds = (time: string): string => `${time.slice(0, 19)}Z`;
