import {
  ActivityCancellationType,
  allHandlersFinished,
  CancellationScope,
  condition,
  defineQuery,
  defineUpdate,
  isCancellation,
  patched,
  proxyActivities,
  setHandler,
  sleep,
} from '@temporalio/workflow';
import { judgeApproval, type Approval } from '../domain/lifecycle/approval.ts';
import type { CleanupReport } from '../domain/lifecycle/cleanup-status.ts';
import type { CleanupInput, PlanSummary } from '../domain/lifecycle/cleanup-run.ts';
import type { ParkingSummary } from '../domain/lifecycle/parking.ts';
import { approvalWindowMs } from '../domain/lifecycle/plan.ts';
import { facts, type FailureFacts } from '../domain/sync/failure-facts.ts';
import type { ParkingActivities, PlanningActivities } from '../activities/cleanup.ts';
import { factsOfError, workflowFailure } from './failure.ts';

/** Approves exactly the plan with this hash; refused as `PlanChanged` for any other. */
export const approveUpdate = defineUpdate<void, [Approval]>('approvePlan');
/** Puts parked tags back; none named: all. Answers how many are restored by now. */
export const restoreUpdate = defineUpdate<ParkingSummary, [readonly string[]]>('restoreTags');
/** Where the cleanup is. */
export const cleanupQuery = defineQuery<CleanupReport>('cleanup');

/** Parked tags are checked against what Pods use this many times at most, so that a long grace has a short history. */
const usageChecks = 200;
/** But not more often than this. */
const usageCheckMs = 60_000;
/** A deletion that is held is tried again this often, and for this long; then everything is put back. */
const heldRetryMs = 600_000;
const heldTries = 144;

const long = {
  startToCloseTimeout: '2h',
  heartbeatTimeout: '30s',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { initialInterval: '2s', maximumInterval: '1m', maximumAttempts: 8 },
} as const;
const { planCleanup } = proxyActivities<PlanningActivities>(long);
const parking = proxyActivities<ParkingActivities>(long);
const { reportCleanup } = proxyActivities<PlanningActivities>({
  startToCloseTimeout: '30s',
  retry: { initialInterval: '1s', maximumInterval: '1m', maximumAttempts: 20 },
});

/**
 * Candidates → verdicts → plan → (approval) → grace → deletion. Nothing is deleted that the approved plan does not name,
 * and whatever goes wrong after the first tag was parked ends with every parked tag put back.
 */
export async function cleanup(input: CleanupInput): Promise<CleanupReport> {
  const run = new CleanupRun(input);
  try {
    const end = await run.story();
    await condition(allHandlersFinished);
    return await run.tell(end);
  } catch (error) {
    return CancellationScope.nonCancellable(() => run.undo(error));
  }
}

class CleanupRun {
  readonly #input: CleanupInput;
  #report: CleanupReport = { phase: 'Planning' };
  #approved = false;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(input: CleanupInput) {
    this.#input = input;
    setHandler(cleanupQuery, () => this.#report);
  }

  async tell(report: CleanupReport): Promise<CleanupReport> {
    this.#report = report;
    await reportCleanup(this.#input.ref, report);
    return report;
  }

  async story(): Promise<CleanupReport> {
    await this.tell({ phase: 'Planning' });
    await parking.restoreLeftovers(this.#input.ref);
    const plan = await planCleanup(this.#input.ref);
    if (plan.next === 'held') return { phase: 'Held', plan };
    if (plan.next === 'nothing' || plan.next === 'dry') return { phase: 'Idle', plan };
    if (plan.next === 'approve' && !(await this.#awaitApproval(plan))) {
      return { phase: 'Idle', plan, failure: facts('PlanChanged', { detail: 'not approved within a day' }) };
    }
    const parked = await parking.parkPlan({ ref: this.#input.ref, hash: plan.hash });
    await this.#grace(plan, parked);
    const summary = await this.#delete(plan);
    return { phase: 'Idle', plan, parking: summary, ...(await this.#collectGarbage(plan, summary)) };
  }

  /** Puts back what was parked, says what went wrong, and passes a cancellation on. */
  async undo(error: unknown): Promise<CleanupReport> {
    await this.#putBack();
    const cancelled = isCancellation(error);
    const failure = cancelled ? facts('Cancelled') : factsOfError(error);
    const report = await this.tell({ ...this.#report, phase: cancelled ? 'Idle' : 'Held', failure });
    if (cancelled) throw error;
    return report;
  }

  /** A registry may be away for longer than a step is tried: nobody else would come back for what is parked there. */
  async #putBack(): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await parking.restoreLeftovers(this.#input.ref);
      } catch (error) {
        if (tries >= heldTries || !patched('put-back-until-done')) throw error;
        await this.tell({ ...this.#report, phase: 'Held', failure: factsOfError(error) });
        await sleep(heldRetryMs);
      }
    }
  }

  async #awaitApproval(plan: PlanSummary): Promise<boolean> {
    setHandler(approveUpdate, () => void (this.#approved = true), {
      validator: (approval) => refuse(judgeApproval(plan, approval)),
    });
    await this.tell({ phase: 'AwaitingApproval', plan });
    return condition(() => this.#approved, approvalWindowMs);
  }

  /** Waits; puts back on request, and by itself what a Pod came to need. */
  async #grace(plan: PlanSummary, parked: ParkingSummary): Promise<void> {
    const order = { ref: this.#input.ref, hash: plan.hash };
    const graceUntil = Date.now() + plan.graceMs;
    const tellGrace = (summary: ParkingSummary) =>
      this.tell({ phase: 'Grace', plan, parking: summary, graceUntil });
    const restore = async (tags: readonly string[]): Promise<ParkingSummary> =>
      this.#inTurn(async () => {
        const summary = await parking.restoreParked({ ...order, tags });
        await tellGrace(summary);
        return summary;
      });
    setHandler(restoreUpdate, restore, { validator: (_tags) => refuse(this.#nothingParked()) });
    await tellGrace(parked);
    const noneLeft = (): boolean => this.#report.parking?.parked === 0;
    const pause = Math.max(usageCheckMs, plan.graceMs / usageChecks);
    while (!noneLeft() && Date.now() < graceUntil) {
      await condition(noneLeft, Math.min(pause, graceUntil - Date.now()));
      const summary = await this.#inTurn(() => parking.restoreUsed(order));
      if (summary.restored !== this.#report.parking?.restored) await tellGrace(summary);
    }
  }

  /** Deletes; where that is held, waits and tries again, rather than leave tags parked for ever. */
  async #delete(plan: PlanSummary): Promise<ParkingSummary> {
    const order = { ref: this.#input.ref, hash: plan.hash };
    for (let tries = 1; ; tries += 1) {
      const { failure: _, ...report } = this.#report;
      await this.tell({ ...report, phase: 'Deleting' });
      try {
        return await this.#inTurn(() => parking.deleteParked(order));
      } catch (error) {
        if (isCancellation(error) || tries >= heldTries) throw error;
        await this.tell({ ...this.#report, phase: 'Held', failure: factsOfError(error) });
        await sleep(heldRetryMs);
      }
    }
  }

  /** Deleted tags free nothing until the registry has collected its garbage. Not being able to ask fails nothing. */
  async #collectGarbage(
    plan: PlanSummary,
    { deleted }: ParkingSummary,
  ): Promise<Pick<CleanupReport, 'garbage'>> {
    if (deleted === 0 || !patched('collect-garbage')) return {};
    try {
      return { garbage: await parking.collectGarbage({ ref: this.#input.ref, hash: plan.hash }) };
    } catch (error) {
      if (isCancellation(error)) throw error;
      return {};
    }
  }

  /** One piece of work on the plan's record at a time. */
  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work, work);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  #nothingParked(): FailureFacts | undefined {
    return this.#report.phase === 'Grace' || this.#report.phase === 'Held'
      ? undefined
      : facts('Conflict', { side: 'caller', detail: 'nothing is parked' });
  }
}

function refuse(failure: FailureFacts | undefined): void {
  if (failure !== undefined) throw workflowFailure(failure);
}
