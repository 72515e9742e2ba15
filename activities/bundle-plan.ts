import type { SkippedImage } from '../domain/bundle/bundle-status.ts';
import { hasNews } from '../domain/bundle/news.ts';
import { parseStagePlan } from '../domain/bundle/parse-stage-plan.ts';
import type { BundleMark } from '../domain/bundle/site-state.ts';
import type { StagedImage, StageOrder } from '../domain/bundle/stage-plan.ts';
import { asFailure, Failure } from '../domain/failure.ts';
import { pinOf } from '../domain/lifecycle/rollback.ts';
import { parseSiteName } from '../domain/names/kubernetes-name.ts';
import { parseTag, type TagName } from '../domain/names/tag.ts';
import type { EdgeSite } from '../domain/resources/edge-site.ts';
import type { Repository } from '../domain/resources/repository.ts';
import { factsOf } from '../domain/sync/failure-facts.ts';
import { chooseSites } from '../domain/sync/site-choice.ts';
import { sitePath } from '../domain/sync/site-path.ts';
import type { RepositoryEndpoint } from '../infra/copy/engine.ts';
import type { BundleDependencies } from './bundle-dependencies.ts';
import { announce, takeSequence, type RunOrder } from './bundle-number.ts';
import { sourceEndpoint } from './endpoints.ts';
import { selectUpstream } from './tag-choice.ts';
import { requireSignature } from './verify-signature.ts';

/** What was planned, in a few words: the plan itself stays in the bucket. */
export interface PlannedBundle {
  readonly site: string;
  readonly sequence: number;
  readonly images: number;
  /** Whether its size has to be reckoned first, as its site takes only so much. Default: false. */
  readonly limited?: boolean;
  /** There was nothing new: `sequence` is that of the last bundle, and none is to be staged. Default: false. */
  readonly upToDate?: boolean;
}

/**
 * Decides what a bundle has to bring: every image that the site should have, its tag resolved once. A Repository whose
 * image is not to be had is left out, and the bundle says so; a registry that is only away makes the step run again.
 */
export async function planBundle(
  deps: BundleDependencies,
  order: RunOrder,
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
  const previous = await deps.stager.latest(parseSiteName(order.site));
  const limits = site.spec.bundle?.maxBytes ?? site.spec.capacity;
  if (!(await isWanted(deps, site, order, images, previous))) {
    return { site: order.site, sequence: previous?.sequence ?? 0, images: 0, upToDate: true };
  }
  const plan = await takeSequence(deps, site, order, images, previous);
  await announce(deps, plan, skipped);
  await deps.stager.afterSweep(signal);
  const { sequence } = plan;
  const planned = { site: plan.site, sequence, images: plan.images.length };
  return limits === undefined ? planned : { ...planned, limited: true };
}

/** What nobody asked for is staged only where it tells the site something new. */
async function isWanted(
  deps: BundleDependencies,
  { metadata, status }: EdgeSite,
  { trigger = 'demand' }: StageOrder,
  images: readonly StagedImage[],
  previous: BundleMark | undefined,
): Promise<boolean> {
  if (trigger === 'demand' || previous === undefined) return true;
  const site = parseSiteName(metadata.name);
  const latest = await deps.stager.shelf.plan(site, previous.sequence);
  const acknowledged = status?.acknowledged?.sequence;
  return hasNews({
    images,
    now: deps.now(),
    ...(latest === undefined ? {} : { latest: parseStagePlan(latest, `${site}/${previous.sequence}`) }),
    ...(acknowledged === undefined ? {} : { acknowledged }),
  });
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
      const root = await deps.engine.resolve(source, pinOf(spec, tag, site.metadata.name) ?? tag, signal);
      if (root === undefined) throw new Failure('TagNotFound', { side: 'source', subject: tag });
      const { platforms, verification } = spec;
      const question = { ref, verification, places: [source], digest: root.digest, signal };
      await requireSignature(deps, question);
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
  repository: Repository,
  source: RepositoryEndpoint,
  signal: AbortSignal,
): Promise<readonly TagName[]> {
  const { spec } = repository;
  if (spec.tagSelector === undefined) return [parseTag(spec.tag)];
  const upstream = await deps.engine.listTags(source, signal);
  return selectUpstream(deps, { repository, source, signal }, upstream);
}
