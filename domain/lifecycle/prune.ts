import { registryOf } from '../api/registry-use.ts';
import type { TagName } from '../names/tag.ts';
import type { Repository } from '../resources/repository.ts';
import { imageClaims, type ImageClaims } from './cleanup-scope.ts';
import { guardItems, guardShare } from './plan.ts';
import { systemTagKind } from './system-tags.ts';

/** What counts for a prune: what its own selector takes, and what everybody says about the image. */
export type PruneClaims = Pick<
  ImageClaims,
  'selects' | 'declared' | 'wantedElsewhere' | 'rollbackTargets' | 'origins'
>;

/** Tags of a site that upstream does not have any more. */
export interface PruneDecision {
  readonly vanished: readonly TagName[];
  /** Why none of them may go. */
  readonly hold?: 'ListingSuspicious' | 'DeleteGuard';
}

/**
 * The claims on the image of a Repository that prunes. Only those that prune after the same registry agree that what
 * vanished there may go; what any other Repository brings, be it of the same namespace, is not this one's to take.
 */
export function pruneClaims(repository: Repository, everyone: readonly Repository[]): PruneClaims {
  const image = repository.spec.repository;
  const { mates = [], others = [] } = Object.groupBy(everyone, (other) =>
    isMate(repository, other) ? 'mates' : 'others',
  );
  const namespaces = mates.map(({ metadata }) => metadata.namespace ?? '');
  const agreed = imageClaims(image, mates, namespaces);
  const elsewhere = imageClaims(image, others, []);
  return {
    selects: imageClaims(image, [repository], [repository.metadata.namespace ?? '']).selects,
    declared: new Set([...agreed.declared, ...elsewhere.declared]),
    wantedElsewhere: elsewhere.wantedElsewhere,
    rollbackTargets: new Set([...agreed.rollbackTargets, ...elsewhere.rollbackTargets]),
    origins: [...new Set([...agreed.origins, ...elsewhere.origins])],
  };
}

function isMate(repository: Repository, other: Repository): boolean {
  const [own, its] = [registryOf(repository), registryOf(other)];
  const prunes = other.spec.prune === true && other.spec.tagSelector !== undefined;
  return prunes && own.namespace === its.namespace && own.name === its.name;
}

/**
 * Which tags a pruning sync takes from a site: those that its selector takes, that nobody else claims, and that a complete
 * listing upstream does not have. An empty listing is not believed, and the guard of cleanup plans holds here as well.
 */
export function decidePrune(
  upstream: readonly TagName[],
  atSite: readonly TagName[],
  claims: Pick<PruneClaims, 'selects' | 'declared' | 'wantedElsewhere'>,
): PruneDecision {
  const there = new Set(upstream);
  const ours = atSite.filter((tag) => systemTagKind(tag) === undefined && claims.selects(tag));
  const isClaimed = (tag: TagName): boolean => claims.declared.has(tag) || claims.wantedElsewhere(tag);
  const vanished = ours.filter((tag) => !there.has(tag) && !isClaimed(tag));
  if (vanished.length === 0) return { vanished };
  if (upstream.length === 0) return { vanished, hold: 'ListingSuspicious' };
  const over = vanished.length > guardItems && vanished.length > ours.length * guardShare;
  return over ? { vanished, hold: 'DeleteGuard' } : { vanished };
}
