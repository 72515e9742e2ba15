import { cleanupStatus, describeReport, type CleanupReport } from '../domain/lifecycle/cleanup-status.ts';
import type { ObjectRef } from '../domain/resources/meta.ts';
import type { PlanningDependencies } from './cleanup-dependencies.ts';

/** Writes how far a cleanup has got into the policy's status, with an Event. A policy that is gone is told nothing. */
export async function reportCleanup(
  deps: PlanningDependencies,
  ref: ObjectRef,
  report: CleanupReport,
): Promise<void> {
  const client = deps.resources.resource('imagecleanuppolicies');
  const policy = await client.get(ref);
  const uid = policy?.metadata.uid;
  if (policy === undefined || uid === undefined) return;
  const now = new Date(deps.now()).toISOString();
  await client.updateStatus(ref, uid, (found) => cleanupStatus(found, report, now));
  const stopped = report.phase === 'Held' || report.failure !== undefined;
  await deps.events.record(
    { kind: 'ImageCleanupPolicy', ref, uid },
    {
      type: stopped ? 'Warning' : 'Normal',
      action: `Cleanup${report.phase}`,
      message: describeReport(report),
    },
  );
}
