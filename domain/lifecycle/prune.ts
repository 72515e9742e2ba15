import type { ImageClaims } from './cleanup-scope.ts';
import { guardItems, guardShare } from './plan.ts';
import { systemTagKind } from './system-tags.ts';
import type { TagName } from '../names/tag.ts';

/** Tags of a site that upstream does not have any more. */
export interface PruneDecision {
  readonly vanished: readonly TagName[];
  /** Why none of them may go. */
  readonly hold?: 'ListingSuspicious' | 'DeleteGuard';
}

/**
 * Which tags a pruning sync takes from a site: those that the selector takes, that nobody declares, and that a complete
 * listing upstream does not have. An empty listing is not believed, and the guard of cleanup plans holds here as well.
 */
export function decidePrune(
  upstream: readonly TagName[],
  atSite: readonly TagName[],
  claims: Pick<ImageClaims, 'selects' | 'declared'>,
): PruneDecision {
  const there = new Set(upstream);
  const ours = atSite.filter((tag) => systemTagKind(tag) === undefined && claims.selects(tag));
  const vanished = ours.filter((tag) => !there.has(tag) && !claims.declared.has(tag));
  if (vanished.length === 0) return { vanished };
  if (upstream.length === 0) return { vanished, hold: 'ListingSuspicious' };
  const over = vanished.length > guardItems && vanished.length > ours.length * guardShare;
  return over ? { vanished, hold: 'DeleteGuard' } : { vanished };
}
