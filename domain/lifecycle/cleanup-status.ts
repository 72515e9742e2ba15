import { humanSize } from '../human-size.ts';
import { setCondition } from '../resources/meta.ts';
import type { ImageCleanupPolicy, ImageCleanupPolicyStatus } from '../resources/image-cleanup-policy.ts';
import type { FailureFacts } from '../sync/failure-facts.ts';
import { explain } from '../sync/failure-facts.ts';
import type { PlanSummary } from './cleanup-run.ts';
import { describeGarbage, type SiteGarbage } from './garbage.ts';
import type { ParkingSummary } from './parking.ts';

/** How far a cleanup has got. */
export interface CleanupReport {
  readonly phase: NonNullable<ImageCleanupPolicyStatus['phase']>;
  readonly plan?: PlanSummary;
  readonly parking?: ParkingSummary;
  /** Epoch milliseconds until which parked tags can be restored. */
  readonly graceUntil?: number;
  /** What the registries were asked after a deletion. Default: they were not. */
  readonly garbage?: readonly SiteGarbage[];
  /** What stopped it. */
  readonly failure?: FailureFacts;
}

/** The policy's status with a report in it. `now` is RFC 3339 UTC. */
export function cleanupStatus(
  policy: ImageCleanupPolicy,
  report: CleanupReport,
  now: string,
): ImageCleanupPolicyStatus {
  const { phase } = report;
  const { graceUntil: _, ...before } = policy.status ?? {};
  const observedGeneration = policy.metadata.generation ?? 0;
  const condition = {
    type: 'Ready',
    status: phase === 'Held' ? ('False' as const) : ('True' as const),
    reason: report.failure?.code ?? report.plan?.holds[0]?.code ?? 'Succeeded',
    message: describeReport(report),
    observedGeneration,
  };
  return {
    ...before,
    ...numbersOf(report),
    observedGeneration,
    phase,
    ...(phase === 'Idle' || phase === 'Held' ? { lastRun: now } : {}),
    conditions: setCondition(policy.status?.conditions ?? [], condition, now),
  };
}

function numbersOf({ plan, parking, graceUntil }: CleanupReport): ImageCleanupPolicyStatus {
  return {
    ...(plan === undefined
      ? {}
      : { planHash: plan.hash, candidates: plan.looked, kept: plan.kept, deletions: plan.deletions }),
    ...(parking === undefined ? {} : { freedBytes: parking.freedBytes }),
    ...(graceUntil === undefined ? {} : { graceUntil: new Date(graceUntil).toISOString() }),
  };
}

/** The report in one line for people: what was found, what waits for whom, and what is left for the registry to do. */
export function describeReport({ phase, plan, parking, garbage, failure }: CleanupReport): string {
  if (failure !== undefined) return explain(failure);
  const found =
    plan === undefined ? '' : `${plan.deletions} of ${plan.looked} tags may go (${humanSize(plan.bytes)})`;
  const holds = (plan?.holds ?? []).map(
    ({ code, site, path, detail }) => `${code} ${site} ${path}: ${detail}`,
  );
  const waits = phase === 'AwaitingApproval' ? `approve plan ${plan?.hash ?? ''} / 请审批该清理计划` : '';
  return [found, ...holds.slice(0, 5), waits, describeParking(parking), describeGarbage(garbage ?? [])]
    .filter((part) => part !== '')
    .join('; ');
}

function describeParking(parking: ParkingSummary | undefined): string {
  if (parking === undefined) return '';
  const { parked, deleted, restored, skipped, freedBytes } = parking;
  const counts = `parked ${parked}, deleted ${deleted}, restored ${restored}, skipped ${skipped}`;
  if (deleted === 0) return counts;
  return `${counts}; ${humanSize(freedBytes)} are free once the registry collects its garbage / 由仓库垃圾回收释放`;
}
