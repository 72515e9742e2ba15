import { CancellationScope, isCancellation } from '@temporalio/workflow';
import type { FirstLook } from '../activities/look-on-schedule.ts';
import type { Recorded } from '../activities/sync-record.ts';
import type { ObjectRef } from '../domain/resources/meta.ts';
import type { SyncInput } from '../domain/sync/input.ts';
import { primaryImage, type RunIdentity, type SyncOutcome } from '../domain/sync/outcome.ts';
import { quietOutcome } from '../domain/sync/quiet.ts';
import type { AskedAgain } from './asked-again.ts';
import { cluster, registry } from './steps.ts';
import { findableBy, now, thisRun } from './sync-story.ts';

/** The plan, and for a scheduled sync, which mostly finds nothing to do, in the same step the first look. */
export async function firstLook(
  { ref, trigger, looksFirst }: SyncInput,
  started: string,
  again: AskedAgain,
): Promise<FirstLook | undefined> {
  if (looksFirst === true) {
    const look = await lookUnlessCancelled(ref, thisRun(trigger, started), again);
    if (look !== 'cancelled') return look;
  }
  // A sync that was cancelled meanwhile still says so, for which it needs the plan.
  const plan =
    looksFirst === true
      ? await CancellationScope.nonCancellable(() => cluster.planSync(ref))
      : await cluster.planSync(ref);
  return plan === undefined ? undefined : { plan };
}

async function lookUnlessCancelled(
  ref: ObjectRef,
  run: RunIdentity,
  again: AskedAgain,
): Promise<FirstLook | undefined | 'cancelled'> {
  again.looking = true;
  try {
    const look = await registry.lookOnSchedule(ref, run);
    // Who asked while the end was being written down did not join this run.
    if (look?.recorded !== undefined && again.trigger === undefined) Object.assign(again, again.meanwhile);
    return look;
  } catch (error) {
    if (isCancellation(error)) return 'cancelled';
    throw error;
  } finally {
    again.looking = false;
  }
}

/** The end of a run whose first step was its last, as that step wrote it down. */
export function quietEnd(
  { plan, survey, recorded }: FirstLook,
  run: RunIdentity,
): { readonly outcome: SyncOutcome; readonly recorded: Recorded } | undefined {
  if (survey === undefined || recorded === undefined) return undefined;
  const outcome = quietOutcome(plan, run, survey, now());
  if (outcome === undefined) return undefined;
  const image = primaryImage(outcome);
  if (image !== undefined) findableBy('digest', image.digest);
  return { outcome, recorded };
}
