import {
  ScheduleAlreadyRunning,
  ScheduleOverlapPolicy,
  type Client,
  type ScheduleOptions,
  type ScheduleSummary,
} from '@temporalio/client';
import { Failure } from '../../domain/failure.ts';
import type { ObjectRef } from '../../domain/resources/meta.ts';
import { hubTaskQueue, resyncScheduleId, resyncSchedules } from '../../domain/sync/ids.ts';
import { workflowTypes } from '../../domain/sync/input.ts';
import { scheduleOffset } from '../../domain/sync/spread.ts';
import { engineCall } from './engine-call.ts';
import type { ScheduleState } from './gateway.ts';
import { attributesWithSeal } from './seal-attribute.ts';
import type { ScheduleWitness } from './schedule-witness.ts';
import { attributesOfRepository } from './search-attributes.ts';

/** How often, and whether at all. `everyMs` below one second counts as one second: Temporal's shortest interval. */
export interface ResyncPlan {
  readonly everyMs: number;
  readonly paused: boolean;
}

/** The note of a Schedule that is paused because its Repository says so; any other note is somebody else's. */
const ownNote = 'spec.suspend';

/** Creates or updates the Schedule of a Repository; writes nothing where it is as wanted. */
export async function ensureResync(
  client: Client,
  ref: ObjectRef,
  plan: ResyncPlan,
  witness: ScheduleWitness,
): Promise<ScheduleState> {
  const wanted = scheduleOptions(ref, plan);
  const object = { resource: 'repositories', ...ref };
  const change = { verb: 'set-schedule', object, plan: JSON.stringify(plan) } as const;
  // Those that are there are known from the list of all: what is asked for here is mostly new.
  const create = () =>
    engineCall(client, () =>
      createOnce(client, { ...wanted, typedSearchAttributes: attributesWithSeal(client) }),
    );
  if ((await witness({ ...change, isFirst: true }, create)) === true)
    return stateOf(wanted.spec.intervals?.[0]?.every, wanted.state);
  const handle = client.schedule.getHandle(resyncScheduleId(ref));
  const present = await engineCall(client, () => handle.describe());
  if (present === undefined) return ensureResync(client, ref, plan, witness);
  const now = stateOf(present.spec.intervals?.[0]?.every, present.state);
  const paused = plan.paused || now.heldBy !== undefined;
  const every = Math.max(1000, plan.everyMs);
  if (now.everyMs === every && now.paused === paused) return now;
  const state = now.heldBy === undefined ? { ...wanted.state } : { paused, note: now.heldBy };
  const { spec, action, policies = {} } = wanted;
  const typedSearchAttributes = attributesWithSeal(client, present);
  await witness(change, () =>
    engineCall(client, () => handle.update(() => ({ spec, action, policies, state, typedSearchAttributes }))),
  );
  return { ...now, everyMs: every, paused };
}

/** Without a note a pause is ours: only this product's own pauses have none. */
function stateOf(
  every: unknown,
  state: { readonly paused?: boolean; readonly note?: string | undefined } | undefined,
): ScheduleState {
  const paused = state?.paused === true;
  const note = state?.note ?? '';
  const isForeign = paused && note !== '' && note !== ownNote;
  return { everyMs: Number(every ?? 0), paused, ...(isForeign ? { heldBy: note } : {}) };
}

/** The Repositories that have a Schedule, deleted ones included. Listing may take as long as there are pages. */
export async function listResyncs(
  client: Client,
): Promise<readonly (ScheduleState & { readonly ref: ObjectRef })[]> {
  const found: (ScheduleState & { readonly ref: ObjectRef })[] = [];
  await eachSchedule(client, resyncSchedules, ({ scheduleId, spec, state }) => {
    const ref = parseScheduled(scheduleId.slice(resyncSchedules.length));
    if (ref !== undefined) found.push({ ref, ...stateOf(spec?.intervals?.[0]?.every, state) });
  });
  return found;
}

/**
 * What follows the prefix in the ids of schedules. Only those are read: a Temporal on SQLite takes four milliseconds for
 * each, and there may be ten thousand others. Failures: `EngineUnavailable`.
 */
export async function listScheduled(client: Client, prefix: string): Promise<readonly string[]> {
  const found: string[] = [];
  await eachSchedule(client, prefix, ({ scheduleId }) => found.push(scheduleId.slice(prefix.length)));
  return found;
}

/** The object that follows the prefix in the id of its schedule; undefined where somebody else made the schedule. */
export function parseScheduled(rest: string): ObjectRef | undefined {
  const [, namespace, name] = /^([^/]+)\/([^/]+)$/.exec(rest) ?? [];
  return namespace === undefined || name === undefined ? undefined : { namespace, name };
}

/** Calls back for each schedule whose id begins so. `only`: what else is asked for. Default: all. Failures: `EngineUnavailable`. */
export async function eachSchedule(
  client: Client,
  prefix: string,
  take: (schedule: ScheduleSummary) => void,
  only?: string,
): Promise<void> {
  const query = `ScheduleId STARTS_WITH '${prefix}'${only === undefined ? '' : ` AND (${only})`}`;
  try {
    for await (const schedule of client.schedule.list({ pageSize: 1000, query })) take(schedule);
  } catch (cause) {
    throw new Failure('EngineUnavailable', { side: 'cluster', cause });
  }
}

/**
 * Overlap is skipped, and what was missed while Temporal was away is caught up with one run at most (fault S02): the
 * window is one interval, where Temporal's default is a year.
 */
function scheduleOptions(ref: ObjectRef, plan: ResyncPlan): ScheduleOptions {
  const every = Math.max(1000, plan.everyMs);
  const scheduleId = resyncScheduleId(ref);
  return {
    scheduleId,
    spec: {
      intervals: [{ every, offset: scheduleOffset(ref, every) }],
      jitter: Math.min(60_000, Math.floor(every / 20)),
    },
    action: resyncAction(ref),
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: Math.max(10_000, every) },
    state: { paused: plan.paused, note: plan.paused ? ownNote : '' },
  };
}

/** What the Schedule of a Repository starts. */
export function resyncAction(ref: ObjectRef): ScheduleOptions['action'] {
  return {
    type: 'startWorkflow',
    workflowType: workflowTypes.resync,
    workflowId: resyncScheduleId(ref),
    taskQueue: hubTaskQueue,
    args: [ref],
    staticSummary: `Scheduled sync of ${ref.namespace}/${ref.name}`,
    typedSearchAttributes: attributesOfRepository(ref, 'schedule'),
  };
}

/** False where somebody else created it first. */
async function createOnce(client: Client, options: ScheduleOptions): Promise<boolean> {
  try {
    await client.schedule.create(options);
    return true;
  } catch (error) {
    if (error instanceof ScheduleAlreadyRunning) return false;
    throw error;
  }
}
