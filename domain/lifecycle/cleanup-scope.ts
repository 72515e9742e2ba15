import type { EdgeSite } from '../resources/edge-site.ts';
import type { ImageCleanupPolicy } from '../resources/image-cleanup-policy.ts';
import { systemNamespace } from '../resources/meta.ts';
import type { Repository } from '../resources/repository.ts';
import type { TagName } from '../names/tag.ts';
import { chooseSites } from '../sync/site-choice.ts';
import { excludesImage } from './retention.ts';
import { compileSelector, type CompiledSelector } from './tag-selection.ts';
import type { PlacedTag } from './tag-ledger.ts';
import { previousVersion } from './versions.ts';

/** One image at one connected site; `image` is its path upstream. */
export interface CleanupTarget {
  readonly site: string;
  readonly image: string;
}

/** The namespaces that a policy speaks about. Default: its own. */
export function policyNamespaces(policy: ImageCleanupPolicy): readonly string[] {
  const named = policy.spec.namespaces ?? [];
  return named.length === 0 ? [policy.metadata.namespace ?? ''] : named;
}

/**
 * Whether a policy reaches into namespaces other than its own. Such a plan always waits for somebody who may delete in
 * each of them; in {@link systemNamespace} only administrators write, so that policies there may reach everywhere.
 */
export function reachesBeyond(policy: ImageCleanupPolicy): readonly string[] {
  const own = policy.metadata.namespace ?? '';
  return own === systemNamespace ? [] : policyNamespaces(policy).filter((namespace) => namespace !== own);
}

/** Every image of the policy's namespaces at every connected site it goes to, each once, but those that it excludes. */
export function cleanupTargets(
  policy: ImageCleanupPolicy,
  repositories: readonly Repository[],
  sites: readonly EdgeSite[],
): CleanupTarget[] {
  const covered = inNamespaces(repositories, policyNamespaces(policy));
  const wanted = covered.filter(({ spec }) => !excludesImage(policy.spec, spec.repository));
  const targets = wanted.flatMap((repository) =>
    chooseSites(repository.spec, sites).connected.map((site) => ({
      site: site.metadata.name,
      image: repository.spec.repository,
    })),
  );
  return [...new Map(targets.map((target) => [`${target.site}\n${target.image}`, target])).values()];
}

/** What the Repositories of every namespace say about one image. */
export interface ImageClaims {
  /** Tags that Repositories of the policy's namespaces placed. */
  readonly placed: readonly PlacedTag[];
  /** Whether a selector of those namespaces takes the tag: a status remembers only so many of them. */
  readonly selects: (tag: TagName) => boolean;
  /** Tags that are asked for one by one, pinned, or brought by a namespace that the policy does not cover. */
  readonly declared: ReadonlySet<string>;
  /** Whether a selector of a namespace that the policy does not cover takes the tag: its status names only so many. */
  readonly wantedElsewhere: (tag: TagName) => boolean;
  readonly rollbackTargets: ReadonlySet<string>;
  /** True while a sync of the image runs: then no tag of it is touched. */
  readonly syncing: boolean;
  /** Registry domains that it comes from. */
  readonly origins: readonly string[];
}

/** Collects the claims on an image. `namespaces`: those that the policy covers. */
export function imageClaims(
  image: string,
  repositories: readonly Repository[],
  namespaces: readonly string[],
): ImageClaims {
  const all = repositories.filter(({ spec }) => spec.repository === image);
  const covered = inNamespaces(all, namespaces);
  const foreign = all.filter((repository) => !covered.includes(repository));
  return {
    placed: covered.flatMap(placedBy),
    selects: selection(covered),
    declared: new Set([...all.flatMap(declaredBy), ...foreign.flatMap(broughtBy)]),
    wantedElsewhere: selection(foreign),
    rollbackTargets: new Set(all.flatMap(rollbackTargets)),
    syncing: all.some(({ status }) => status?.syncStatus === 'Syncing'),
    origins: [...new Set(all.flatMap(({ status }) => status?.domain ?? []))],
  };
}

function placedBy({ spec, status, metadata }: Repository): PlacedTag[] {
  const created = Date.parse(metadata.creationTimestamp ?? '');
  const versions = (status?.versions ?? []).filter(({ placed }) => placed !== undefined);
  const fallback = Number.isNaN(created) ? Number.POSITIVE_INFINITY : created;
  return [
    ...versions.map(({ tag, digest, placed }) => ({
      tag,
      digest,
      placed: Date.parse(placed ?? '') || fallback,
    })),
    ...(status?.tags ?? []).map(({ tag, digest }) => ({ tag, digest, placed: Number.POSITIVE_INFINITY })),
    ...(status?.digest === undefined
      ? []
      : [{ tag: spec.tag, digest: status.digest, placed: Number.POSITIVE_INFINITY }]),
  ];
}

function selection(repositories: readonly Repository[]): (tag: TagName) => boolean {
  const selectors = repositories.flatMap(({ spec }) => usableSelector(spec) ?? []);
  return (tag) => selectors.some((selector) => selector.match(tag) === 'Selected');
}

/** An invalid selector brings nothing: its Repository says so. */
function usableSelector({ tagSelector }: Repository['spec']): CompiledSelector | undefined {
  try {
    return tagSelector === undefined ? undefined : compileSelector(tagSelector);
  } catch {
    return undefined;
  }
}

/** A selector's tags are no declarations: the policy may thin them out, and the sync remembers what it took. */
function declaredBy({ spec }: Repository): string[] {
  const pins = (spec.pins ?? []).map(({ tag }) => tag);
  return spec.tagSelector === undefined || spec.pinnedDigest !== undefined ? [spec.tag, ...pins] : pins;
}

const broughtBy = ({ spec, status }: Repository): string[] => [
  spec.tag,
  ...(status?.tags ?? []).map(({ tag }) => tag),
  ...(status?.versions ?? []).map(({ tag }) => tag),
];

/** Pins, and the version before the current one of every tag. */
function rollbackTargets({ spec, status }: Repository): string[] {
  const history = status?.versions ?? [];
  const tags = [...new Set(history.map(({ tag }) => tag))];
  return [
    ...(spec.pinnedDigest === undefined ? [] : [spec.pinnedDigest]),
    ...(spec.pins ?? []).map(({ digest }) => digest),
    ...tags.flatMap((tag) => previousVersion(history, tag)?.digest ?? []),
  ];
}

const inNamespaces = (repositories: readonly Repository[], namespaces: readonly string[]): Repository[] =>
  repositories.filter(({ metadata }) => namespaces.includes(metadata.namespace ?? ''));
