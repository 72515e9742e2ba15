import { Failure } from '../domain/failure.ts';
import { pinOf } from '../domain/lifecycle/rollback.ts';
import type { Digest } from '../domain/names/digest.ts';
import type { TagName } from '../domain/names/tag.ts';
import type { Repository, SyncTrigger } from '../domain/resources/repository.ts';
import type { Descriptor } from '../domain/image/descriptor.ts';
import type { SyncPlan } from '../domain/sync/plan.ts';
import {
  addToPage,
  compareSites,
  emptyPage,
  nextLook,
  tagsAfter,
  type Sighting,
  type Survey,
  type SurveyedImage,
  type SurveyPage,
} from '../domain/sync/survey.ts';
import type { RepositoryEndpoint } from '../infra/copy/engine.ts';
import type { SyncDependencies } from './dependencies.ts';
import { sourceEndpoint, targetEndpoint } from './endpoints.ts';
import { auditSurvey, syncFact } from './sync-audit.ts';
import { withHeartbeat } from './heartbeat.ts';
import { inWindow } from '../domain/in-window.ts';
import { chooseTags, type ChoiceMemory, type TagChoice } from './tag-choice.ts';

/** How many tags are looked at together. */
const lookups = 16;

/** A page of images to look at: what upstream has, and what the sites show. */
export interface SurveyOrder {
  readonly plan: SyncPlan;
  readonly trigger: SyncTrigger;
  /** When the whole sync began, RFC 3339 UTC: names the run whose choice of tags is meant. */
  readonly started?: string;
  /** The last tag of the page before. Default: the first page. */
  readonly after?: string;
  /** The first run's id, where a sync goes on in a later one. Default: this one. */
  readonly begun?: string;
  /** Which try this is. Default: 1. */
  readonly tries?: number;
}

/** A page under way. */
interface Look {
  readonly order: SurveyOrder;
  readonly repository: Repository;
  readonly source: RepositoryEndpoint;
  /** Sites that can be asked. */
  readonly targets: ReadonlyMap<string, RepositoryEndpoint>;
  readonly signal: AbortSignal;
}

/**
 * Asks upstream once per tag (a HEAD: no pull is counted) and each site once per tag. Changes nothing, and tells the
 * audit log what will be changed.
 */
export function surveyImages(
  deps: SyncDependencies,
  choices: ChoiceMemory,
  order: SurveyOrder,
): Promise<Survey> {
  return withHeartbeat((signal) => survey(deps, choices, order, signal));
}

/** The same inside another step. */
export async function survey(
  deps: SyncDependencies,
  choices: ChoiceMemory,
  order: SurveyOrder,
  signal: AbortSignal,
): Promise<Survey> {
  const look = await beginLook(deps, order, signal);
  const { claim } = order.plan;
  const run = `${claim.uid} ${claim.wanted} ${order.started ?? ''}`;
  const choice = await choices.of(run, order.after === undefined, () =>
    chooseTags(deps, { ...look, plan: order.plan }),
  );
  const rest = tagsAfter(choice.tags, order.after);
  const page = await lookThrough(deps, look, choice, rest);
  const next = page.looked < rest.length ? rest[page.looked - 1] : undefined;
  const isFirst = order.after === undefined;
  await auditSurvey(deps.audit, syncFact(order.plan, order.trigger, order.begun), order.plan, page.images);
  return {
    images: page.images,
    total: choice.tags.length,
    ...(page.unchanged === 0 ? {} : { unchanged: page.unchanged }),
    ...(isFirst && choice.gone.length > 0 ? { gone: choice.gone } : {}),
    ...(next === undefined ? {} : { next }),
  };
}

async function beginLook(deps: SyncDependencies, order: SurveyOrder, signal: AbortSignal): Promise<Look> {
  const { claim, sites, repository: path } = order.plan;
  const repository = await deps.resources.resource('repositories').get(claim.ref);
  if (repository?.metadata.uid !== claim.uid) throw new Failure('Superseded', { side: 'cluster' });
  const source = await sourceEndpoint(deps, { ...order.plan, usedFrom: claim.ref.namespace });
  const targets = new Map<string, RepositoryEndpoint>();
  await inWindow(sites, lookups, async ({ site }) => {
    const target = await targetEndpoint(deps, site, path).catch(() => undefined);
    if (target !== undefined) targets.set(site, target);
  });
  return { order, repository, source, targets, signal };
}

/** Goes through the tags until the page is full: with images to copy, or with tags that were looked at. */
async function lookThrough(
  deps: SyncDependencies,
  look: Look,
  { retired }: TagChoice,
  tags: readonly TagName[],
): Promise<SurveyPage> {
  const { plan, after } = look.order;
  const verifies = plan.verification !== undefined;
  const shape = { first: after === undefined, primary: plan.tag, sites: plan.sites.length, verifies };
  let [page, done] = [emptyPage, 0];
  for (;;) {
    const more = tags.slice(done, done + nextLook(page, plan.sites.length, verifies));
    if (more.length === 0) return { ...page, looked: done };
    const found = await inWindow(more, lookups, (tag) => surveyTag(deps, look, tag));
    const images = found.flat().filter(({ tag, root }) => retired.get(tag) !== root.digest);
    done += more.length;
    page = { ...addToPage(page, images, shape), looked: done };
  }
}

/** One image; more than one only where some sites are held at another version than the others. */
async function surveyTag(
  deps: SyncDependencies,
  look: Look,
  tag: TagName,
): Promise<readonly SurveyedImage[]> {
  const { repository, order } = look;
  const sites = order.plan.sites.map(({ site }) => site);
  const general = pinOf(repository.spec, tag);
  const lots = Map.groupBy(sites, (site) => pinOf(repository.spec, tag, site));
  if (!lots.has(general)) lots.set(general, []);
  const images: SurveyedImage[] = [];
  for (const [pinned, members] of lots) {
    const image = await surveyLot(deps, look, { tag, pinned, sites: members });
    if (image !== undefined) images.push(pinned === general ? image : { ...image, partial: true });
  }
  return images;
}

/** Sites that are to show the same version of a tag. */
interface Lot {
  readonly tag: TagName;
  readonly pinned: Digest | undefined;
  readonly sites: readonly string[];
}

/** Undefined for a tag of a selector that vanished since upstream was listed: the next run sees that it is gone. */
async function surveyLot(deps: SyncDependencies, look: Look, lot: Lot): Promise<SurveyedImage | undefined> {
  const { repository, order } = look;
  const root = await resolveUpstream(deps, look, lot);
  if (root === undefined) return undefined;
  const sightings = await Promise.all(lot.sites.map((site) => sight(deps, look, lot.tag, site)));
  const { platforms } = repository.spec;
  return compareSites(lot.tag, root, sightings, {
    trigger: order.trigger,
    ...(platforms === undefined ? {} : { platforms }),
    ...(repository.status === undefined ? {} : { status: repository.status }),
  });
}

/** The tag is resolved here and nowhere else in a run (rule 4): from now on only the digest counts. */
async function resolveUpstream(
  deps: SyncDependencies,
  look: Look,
  lot: Lot,
): Promise<Descriptor | undefined> {
  const { source, signal, repository } = look;
  const { tag, pinned, sites } = lot;
  const root = await deps.engine.resolve(source, pinned ?? tag, signal);
  if (root !== undefined) return root;
  const subject = `${source.registry.domain}/${source.path}`;
  // A version that was rolled back to may be gone upstream; where the sites have it there is nothing to fetch.
  const kept = pinned === undefined ? undefined : await resolveAtSites(deps, look, sites, pinned);
  if (kept !== undefined) return kept;
  if (pinned !== undefined)
    throw new Failure('ManifestNotFound', { side: 'source', subject: `${subject}@${pinned}` });
  if (repository.spec.tagSelector !== undefined) return undefined;
  // A registry answers 404 for a missing tag and a missing repository alike; its list of tags tells them apart.
  const tags = await deps.engine.listTags(source, signal);
  throw tags.length === 0
    ? new Failure('RepositoryNotFound', { side: 'source', subject })
    : new Failure('TagNotFound', { side: 'source', subject: `${subject}:${tag}` });
}

async function resolveAtSites(
  deps: SyncDependencies,
  { targets, signal }: Look,
  sites: readonly string[],
  digest: Digest,
): Promise<Descriptor | undefined> {
  for (const site of sites) {
    const target = targets.get(site);
    const root = target === undefined ? undefined : await deps.engine.resolve(target, digest, signal);
    if (root !== undefined) return root;
  }
  return undefined;
}

/** A site that cannot be asked counts as having nothing: the copy will say what is wrong with it. */
async function sight(deps: SyncDependencies, look: Look, tag: TagName, site: string): Promise<Sighting> {
  const target = look.targets.get(site);
  if (target === undefined) return { site, digest: undefined };
  try {
    return { site, digest: (await deps.engine.resolve(target, tag, look.signal))?.digest };
  } catch {
    look.signal.throwIfAborted();
    return { site, digest: undefined };
  }
}
