import { Failure } from '../domain/failure.ts';
import {
  compileSelector,
  matchesSelector,
  needsDates,
  selectedTags,
  selectTags,
} from '../domain/lifecycle/tag-selection.ts';
import { parseTag, type TagName } from '../domain/names/tag.ts';
import type { Repository } from '../domain/resources/repository.ts';
import type { SyncPlan } from '../domain/sync/plan.ts';
import { shownGone, type GoneTag } from '../domain/sync/survey.ts';
import type { RepositoryEndpoint } from '../infra/copy/engine.ts';
import { readDocument, retiredKey } from './cleanup-documents.ts';
import type { SyncDependencies } from './dependencies.ts';
import { datedTags } from './image-dates.ts';

/** Which tags a run brings. */
export interface TagChoice {
  /** In the order of their names, as pages need it. */
  readonly tags: readonly TagName[];
  /** Tags that cleanup took from every site, with the digest that does not come back; newer ones do. */
  readonly retired: ReadonlyMap<string, string>;
  readonly gone: readonly GoneTag[];
}

/** What a choice is made from. */
export interface ChoiceOrder {
  readonly plan: SyncPlan;
  readonly repository: Repository;
  readonly source: RepositoryEndpoint;
  readonly targets: ReadonlyMap<string, RepositoryEndpoint>;
  readonly signal: AbortSignal;
}

type ChoiceDependencies = Pick<SyncDependencies, 'engine' | 'documents'>;

/** Lists upstream, and decides. A Repository without a selector needs no listing. */
export async function chooseTags(deps: ChoiceDependencies, order: ChoiceOrder): Promise<TagChoice> {
  const { spec } = order.repository;
  if (spec.tagSelector === undefined) return { tags: [parseTag(spec.tag)], retired: new Map(), gone: [] };
  const upstream = await deps.engine.listTags(order.source, order.signal);
  const retired = await retiredTags(deps, order.plan);
  return {
    tags: (await selectUpstream(deps, order, upstream)).toSorted(),
    retired,
    gone: await goneTags(deps, order, upstream),
  };
}

/** The selector's choice. Dates are read only where it asks for the newest by date. */
export async function selectUpstream(
  deps: ChoiceDependencies,
  { repository, source, signal }: Pick<ChoiceOrder, 'repository' | 'source' | 'signal'>,
  upstream: readonly TagName[],
): Promise<readonly TagName[]> {
  const selector = repository.spec.tagSelector ?? {};
  const matching = upstream.filter(matchesSelector(selector));
  const tags = needsDates(selector, matching.length)
    ? await datedTags(deps, source, matching, signal)
    : matching.map((tag) => ({ tag }));
  return selectedTags(selectTags(tags, selector));
}

async function retiredTags(
  deps: Pick<SyncDependencies, 'documents'>,
  { sites, repository: image }: SyncPlan,
): Promise<ReadonlyMap<string, string>> {
  const [first = {}, ...others] = await Promise.all(
    sites.map(async ({ site }) => (await readDocument(deps.documents, retiredKey(site, image))) ?? {}),
  );
  return new Map(
    Object.entries(first).filter(([tag, digest]) => others.every((other) => other[tag] === digest)),
  );
}

/**
 * Tags that a site has, that the selector takes, and that upstream does not have. An upstream that lists nothing at all
 * says nothing, and neither does a site that cannot be asked.
 */
async function goneTags(
  deps: ChoiceDependencies,
  { repository, targets, signal }: ChoiceOrder,
  upstream: readonly TagName[],
): Promise<readonly GoneTag[]> {
  if (upstream.length === 0) return [];
  const there = new Set<string>(upstream);
  const selector = compileSelector(repository.spec.tagSelector ?? {});
  const gone = new Map<string, string>();
  for (const target of targets.values()) {
    const tags = await listQuietly(deps, target, signal);
    for (const tag of tags) {
      if (gone.size >= shownGone) break;
      if (there.has(tag) || gone.has(tag) || selector.match(tag) !== 'Selected') continue;
      const digest = (await deps.engine.resolve(target, tag, signal))?.digest;
      if (digest !== undefined) gone.set(tag, digest);
    }
  }
  return [...gone].map(([tag, digest]) => ({ tag, digest }));
}

async function listQuietly(
  deps: Pick<SyncDependencies, 'engine'>,
  target: RepositoryEndpoint,
  signal: AbortSignal,
): Promise<readonly TagName[]> {
  try {
    return await deps.engine.listTags(target, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Failure) return [];
    throw error;
  }
}

/** Choices that are kept, at most; each of 10,000 tags takes about a megabyte. */
const kept = 16;

/** Remembers what a run chose, so that upstream is listed once a run and not once a page. A worker that starts anew asks again. */
export class ChoiceMemory {
  readonly #choices = new Map<string, Promise<TagChoice>>();

  /** The choice of a run, made at its first page. One that failed is made anew. */
  of(run: string, isFirstPage: boolean, make: () => Promise<TagChoice>): Promise<TagChoice> {
    const known = isFirstPage ? undefined : this.#choices.get(run);
    if (known !== undefined) return known;
    const choice = make();
    this.#choices.delete(run);
    this.#choices.set(run, choice);
    const [oldest] = this.#choices.keys();
    if (this.#choices.size > kept && oldest !== undefined) this.#choices.delete(oldest);
    choice.catch(() => this.#choices.delete(run));
    return choice;
  }
}
