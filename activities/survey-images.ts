import { Failure } from '../domain/failure.ts';
import { selectedTags, selectTags } from '../domain/lifecycle/tag-selection.ts';
import { pinOf } from '../domain/lifecycle/rollback.ts';
import type { Digest } from '../domain/names/digest.ts';
import { parseTag, type TagName } from '../domain/names/tag.ts';
import type { Repository, SyncTrigger } from '../domain/resources/repository.ts';
import type { Descriptor } from '../domain/image/descriptor.ts';
import type { SyncPlan } from '../domain/sync/plan.ts';
import {
  compareSites,
  pageOf,
  type Sighting,
  type Survey,
  type SurveyedImage,
} from '../domain/sync/survey.ts';
import type { RepositoryEndpoint } from '../infra/copy/engine.ts';
import { readDocument, retiredKey } from './cleanup-documents.ts';
import type { SyncDependencies } from './dependencies.ts';
import { sourceEndpoint, targetEndpoint } from './endpoints.ts';
import { withHeartbeat } from './heartbeat.ts';

/** How many tags are looked at together. */
const lookups = 8;

/** A page of images to look at: what upstream has, and what the sites show. */
export interface SurveyOrder {
  readonly plan: SyncPlan;
  readonly trigger: SyncTrigger;
  /** The last tag of the page before. Default: the first page. */
  readonly after?: string;
}

/** Asks upstream once per tag (a HEAD: no pull is counted) and each site once per tag. Changes nothing. */
export function surveyImages(deps: SyncDependencies, order: SurveyOrder): Promise<Survey> {
  return withHeartbeat(async (signal) => {
    const { claim } = order.plan;
    const repository = await deps.resources.resource('repositories').get(claim.ref);
    if (repository?.metadata.uid !== claim.uid) throw new Failure('Superseded', { side: 'cluster' });
    const source = await sourceEndpoint(deps, { ...order.plan, usedFrom: claim.ref.namespace });
    const tags = await wantedTags(deps, repository, source, signal);
    const retired = await retiredTags(deps, order.plan, repository);
    const { page, next } = pageOf(tags, order.after);
    const look = (tag: string): Promise<SurveyedImage> =>
      surveyImage(deps, { order, repository, source, tag: parseTag(tag), signal });
    const looked = await inGroups(page, look);
    const images = looked.filter(({ tag, root }) => retired.get(tag) !== root.digest);
    return { images, total: tags.length, ...(next === undefined ? {} : { next }) };
  });
}

/** Tags of a selector that cleanup took from every site: their digests do not come back, newer ones do. */
async function retiredTags(
  deps: SyncDependencies,
  { sites, repository: image }: SyncPlan,
  { spec }: Repository,
): Promise<ReadonlyMap<string, string>> {
  if (spec.tagSelector === undefined) return new Map();
  const [first = {}, ...others] = await Promise.all(
    sites.map(async ({ site }) => (await readDocument(deps.documents, retiredKey(site, image))) ?? {}),
  );
  return new Map(
    Object.entries(first).filter(([tag, digest]) => others.every((other) => other[tag] === digest)),
  );
}

async function wantedTags(
  deps: SyncDependencies,
  { spec }: Repository,
  source: RepositoryEndpoint,
  signal: AbortSignal,
): Promise<readonly TagName[]> {
  if (spec.tagSelector === undefined) return [parseTag(spec.tag)];
  const upstream = await deps.engine.listTags(source, signal);
  return selectedTags(
    selectTags(
      upstream.map((tag) => ({ tag })),
      spec.tagSelector,
    ),
  );
}

interface Look {
  readonly order: SurveyOrder;
  readonly repository: Repository;
  readonly source: RepositoryEndpoint;
  readonly tag: TagName;
  readonly signal: AbortSignal;
}

async function surveyImage(deps: SyncDependencies, look: Look): Promise<SurveyedImage> {
  const { repository, order, tag } = look;
  const root = await resolveUpstream(deps, look);
  const sightings = await Promise.all(order.plan.sites.map(({ site }) => sight(deps, look, site)));
  const { platforms } = repository.spec;
  return compareSites(tag, root, sightings, {
    trigger: order.trigger,
    ...(platforms === undefined ? {} : { platforms }),
    ...(repository.status === undefined ? {} : { status: repository.status }),
  });
}

/** The tag is resolved here and nowhere else in a run (rule 4): from now on only the digest counts. */
async function resolveUpstream(deps: SyncDependencies, look: Look): Promise<Descriptor> {
  const { source, tag, signal, repository } = look;
  const pinned = pinOf(repository.spec, tag);
  const root = await deps.engine.resolve(source, pinned ?? tag, signal);
  if (root !== undefined) return root;
  const subject = `${source.registry.domain}/${source.path}`;
  // A version that was rolled back to may be gone upstream; where the sites have it there is nothing to fetch.
  const kept = pinned === undefined ? undefined : await resolveAtSites(deps, look, pinned);
  if (kept !== undefined) return kept;
  if (pinned !== undefined)
    throw new Failure('ManifestNotFound', { side: 'source', subject: `${subject}@${pinned}` });
  // A registry answers 404 for a missing tag and a missing repository alike; its list of tags tells them apart.
  const tags = await deps.engine.listTags(source, signal);
  throw tags.length === 0
    ? new Failure('RepositoryNotFound', { side: 'source', subject })
    : new Failure('TagNotFound', { side: 'source', subject: `${subject}:${tag}` });
}

async function resolveAtSites(
  deps: SyncDependencies,
  { order, signal }: Look,
  digest: Digest,
): Promise<Descriptor | undefined> {
  for (const { site } of order.plan.sites) {
    const target = await targetEndpoint(deps, site, order.plan.repository);
    const root = await deps.engine.resolve(target, digest, signal);
    if (root !== undefined) return root;
  }
  return undefined;
}

/** A site that cannot be asked counts as having nothing: the copy will say what is wrong with it. */
async function sight(deps: SyncDependencies, look: Look, site: string): Promise<Sighting> {
  try {
    const target = await targetEndpoint(deps, site, look.order.plan.repository);
    return { site, digest: (await deps.engine.resolve(target, look.tag, look.signal))?.digest };
  } catch {
    look.signal.throwIfAborted();
    return { site, digest: undefined };
  }
}

async function inGroups<T, R>(list: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let start = 0; start < list.length; start += lookups) {
    results.push(...(await Promise.all(list.slice(start, start + lookups).map(work))));
  }
  return results;
}
