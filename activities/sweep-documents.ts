import { judgeDocument, ownedBy } from '../domain/lifecycle/document-owners.ts';
import { planOwner } from '../domain/lifecycle/ids.ts';
import type { StoredDocument, StoredDocuments } from '../infra/kubernetes/stored-documents.ts';
import type { PlanningDependencies } from './cleanup-dependencies.ts';
import { planKey, readDocument } from './cleanup-documents.ts';
import { isParked } from './cleanup-restore.ts';
import { withHeartbeat } from './heartbeat.ts';

/** What tidying up is handed. */
export interface SweepDependencies extends Pick<PlanningDependencies, 'resources' | 'documents' | 'now'> {
  /** The documents, to be taken away. */
  readonly stored: StoredDocuments;
}

/** The step that takes away what was written down about what is gone. */
export interface SweepActivities {
  /** How many documents went. */
  sweepDocuments(): Promise<number>;
}

/** Binds the step to what it needs. */
export function createSweepActivities(deps: SweepDependencies): SweepActivities {
  return { sweepDocuments: () => sweepDocuments(deps) };
}

/**
 * Takes away documents about policies, sites and images that have been gone for 30 days, in which nobody wrote them. The
 * plan of a cleanup that was cut off stays for as long as it alone knows which tags are parked. How many went.
 */
export function sweepDocuments(deps: SweepDependencies): Promise<number> {
  return withHeartbeat(async (signal) => {
    const isOwned = await lookAtOwners(deps);
    let removed = 0;
    for await (const document of deps.stored.list()) {
      signal.throwIfAborted();
      const verdict = judgeDocument(isOwned(document.key), document.unownedSince, deps.now());
      if (verdict === 'mark') await deps.stored.mark(document, deps.now());
      if (verdict === 'unmark') await deps.stored.mark(document, undefined);
      if (verdict !== 'remove' || (await holdsParked(deps, document))) continue;
      await deps.stored.remove(document);
      removed += 1;
    }
    return removed;
  });
}

async function lookAtOwners({ resources }: SweepDependencies): Promise<(key: string) => boolean> {
  const [policies, sites, repositories] = await Promise.all([
    resources.resource('imagecleanuppolicies').list(),
    resources.resource('edgesites').list(),
    resources.resource('repositories').list(),
  ]);
  return ownedBy({
    policies: policies.map(({ metadata: { namespace = '', name } }) => ({ namespace, name })),
    sites: sites.map(({ metadata }) => metadata.name),
    images: repositories.map(({ spec }) => spec.repository),
  });
}

async function holdsParked({ documents }: SweepDependencies, { key }: StoredDocument): Promise<boolean> {
  const ref = planOwner(key);
  if (ref === undefined) return false;
  return (await readDocument(documents, planKey(ref)))?.items.some(isParked) === true;
}
