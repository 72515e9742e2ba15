import { asFailure } from '../domain/failure.ts';
import type { ObjectRef } from '../domain/resources/meta.ts';
import { factsOf, type FailureFacts } from '../domain/sync/failure-facts.ts';
import type { RunIdentity } from '../domain/sync/outcome.ts';
import type { SyncPlan } from '../domain/sync/plan.ts';
import { quietOutcome } from '../domain/sync/quiet.ts';
import { isOwnTrouble } from '../domain/sync/retry.ts';
import type { Survey } from '../domain/sync/survey.ts';
import type { SyncDependencies } from './dependencies.ts';
import { withHeartbeat } from './heartbeat.ts';
import { survey } from './survey-images.ts';
import { planSync, recordSync, type Recorded } from './sync-record.ts';
import type { ChoiceMemory } from './tag-choice.ts';

/** What a scheduled sync knows after its first step. */
export interface FirstLook {
  readonly plan: SyncPlan;
  /** The first page. Default: not looked at, as there is a problem or the time is over. */
  readonly survey?: Survey;
  /** What a registry answered instead: the first of the Repository's tries. */
  readonly trouble?: FailureFacts;
  /** Set where nothing was left to do: the end is written down. */
  readonly recorded?: Recorded;
}

/**
 * Plans and looks, and writes down the end where nothing is to do, as for nearly every scheduled sync: one step, and not
 * three. May run again. Undefined where there is no such Repository.
 */
export function lookOnSchedule(
  deps: SyncDependencies,
  choices: ChoiceMemory,
  ref: ObjectRef,
  run: RunIdentity,
): Promise<FirstLook | undefined> {
  return withHeartbeat(async (cancelled) => {
    const plan = await planSync(deps, ref);
    if (plan === undefined || plan.problem !== undefined) return plan && { plan };
    const late = AbortSignal.timeout(Math.max(1, Date.parse(run.started) + plan.timeoutMs - Date.now()));
    const look = await firstPage(deps, choices, plan, run, AbortSignal.any([cancelled, late]));
    cancelled.throwIfAborted();
    if (late.aborted) return { plan };
    if ('code' in look) return { plan, trouble: look };
    const end = quietOutcome(plan, run, look, ended(deps, run));
    if (end === undefined) return { plan, survey: look };
    return { plan, survey: look, recorded: await recordSync(deps, end) };
  });
}

/** What a registry refuses is an answer; what is ours to mend is thrown, and Temporal tries again. */
async function firstPage(
  deps: SyncDependencies,
  choices: ChoiceMemory,
  plan: SyncPlan,
  { trigger, started }: RunIdentity,
  signal: AbortSignal,
): Promise<Survey | FailureFacts> {
  try {
    return await survey(deps, choices, { plan, trigger, started }, signal);
  } catch (error) {
    const failure = asFailure(error);
    if (isOwnTrouble(failure.code) && !signal.aborted) throw error;
    return factsOf(failure);
  }
}

/** Not before the start, whose clock is the server's (fault N17). */
const ended = (deps: SyncDependencies, { started }: RunIdentity): string => {
  const now = deps.clock();
  return Date.parse(now) < Date.parse(started) ? started : now;
};
