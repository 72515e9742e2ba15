import { someNames } from '../domain/some-names.ts';
import { asFailure, Failure } from '../domain/failure.ts';
import type { UsageFacts } from '../domain/lifecycle/image-version.ts';
import { imagesInUse } from '../domain/usage/pod-usage.ts';
import { combineUsage, type CombinedUsage, type UsageReport } from '../domain/usage/usage-report.ts';
import { recordUse } from '../domain/usage/use-ledger.ts';
import type { PlanningDependencies } from './cleanup-dependencies.ts';
import { lookAtPulls } from './pulls.ts';
import { changeDocument, usageKey } from './cleanup-documents.ts';

type UsageDependencies = Pick<PlanningDependencies, 'usage' | 'documents' | 'now'>;
type RecordDependencies = UsageDependencies & Parameters<typeof lookAtPulls>[0];

/** Asks every cluster what its Pods use. A cluster that does not answer is missing, not empty. */
export async function lookAtUsage(deps: UsageDependencies): Promise<CombinedUsage> {
  const clusters = await deps.usage();
  const answers = await Promise.all(
    clusters.map(async ({ name, look }): Promise<UsageReport | undefined> => {
      try {
        const { texts, ...when } = await look();
        return { source: name, observed: deps.now(), inUse: imagesInUse(texts), ...when };
      } catch (error) {
        if (asFailure(error).code === 'Internal') throw error;
        return undefined;
      }
    }),
  );
  const reports = answers.filter((report) => report !== undefined);
  return combineUsage(
    clusters.map(({ name }) => name),
    reports,
    deps.now(),
  );
}

/**
 * Writes down what is in use now, and what was pulled where a registry tells, so that `unusedDays` has
 * something to count from.
 */
export async function recordUsage(deps: RecordDependencies): Promise<UsageFacts> {
  const [combined, pulls] = await Promise.all([lookAtUsage(deps), lookAtPulls(deps)]);
  const known = combined.missing.length + pulls.missing.length === 0;
  const next = await changeDocument(deps.documents, usageKey, (before) => {
    const ledger = recordUse(before, combined, deps.now(), pulls.lastPulled);
    // An incomplete look is no look: the gap shows in `looked`, and ends what can be said about the past.
    return known ? ledger : { ...ledger, looked: before?.looked ?? 0 };
  });
  return {
    known,
    digests: combined.digests,
    names: combined.names,
    lastUsed: new Map(Object.entries(next.lastUsed)),
    since: next.since,
  };
}

/** Throws `UsageUnknown` where a cluster did not answer: nothing is deleted on a guess. */
export async function requireUsage(deps: UsageDependencies): Promise<CombinedUsage> {
  const combined = await lookAtUsage(deps);
  if (combined.missing.length === 0) return combined;
  throw new Failure('UsageUnknown', {
    side: 'cluster',
    detail: `no answer from ${someNames(combined.missing, 5)}`,
  });
}
