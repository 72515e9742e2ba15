import { Failure } from '../domain/failure.ts';
import type { ParkedItem, ParkingSummary } from '../domain/lifecycle/parking.ts';
import { deletions, stopsRun, type Deletion } from '../domain/lifecycle/plan.ts';
import type { ObjectRef } from '../domain/resources/meta.ts';
import type { ParkingDependencies } from './cleanup-dependencies.ts';
import { forgetTags } from '../domain/lifecycle/tag-ledger.ts';
import { changeDocument, ledgerKey } from './cleanup-documents.ts';
import { makePlan, requirePolicy } from './cleanup-plan.ts';
import { requireRecord, workThrough, type ItemStep, type PlanOrder } from './cleanup-record.ts';
import { isParked, isUsed, letGo, restoreItem, tagFact } from './cleanup-restore.ts';
import { targetEndpoint } from './endpoints.ts';
import { withHeartbeat } from './heartbeat.ts';
import { requireCurrentTry } from './step-fence.ts';
import { requireUsage } from './usage.ts';

/**
 * Parks the tags of an approved plan. Everything is judged again first: what became protected since is skipped, and
 * nothing is added. May be tried again: what is begun is written down before it is begun.
 */
export function parkPlan(deps: ParkingDependencies, order: PlanOrder): Promise<ParkingSummary> {
  return withHeartbeat(async (signal) => {
    const opened = await requireRecord(deps, order);
    const { record } = opened;
    const { going, kept } = await judgeAgain(deps, order, signal);
    const planned = record.items.length > 0 ? record.items : deletions(record.plan).map(plannedItem);
    const items = planned.map((item): ParkedItem => {
      const open = item.state === 'planned' ? !going.has(key(item.deletion)) : kept.has(key(item.deletion));
      if (item.state !== 'planned' && item.state !== 'parking') return item;
      return open
        ? skipped(item.deletion, 'it is kept by now')
        : { deletion: item.deletion, state: 'parking' };
    });
    return workThrough(deps, order, { ...opened, record: { ...record, items } }, async (item) =>
      item.state === 'parking' ? parkItem(deps, order.ref, item.deletion, signal) : item,
    );
  });
}

/** Deletes what is still parked and still unused. Throws `UsageUnknown` where a cluster does not answer. */
export function deleteParked(deps: ParkingDependencies, order: PlanOrder): Promise<ParkingSummary> {
  return withHeartbeat(async (signal) => {
    const inUse = await requireUsage(deps);
    const deleted: Deletion[] = [];
    const step: ItemStep = async (item, items) => {
      if (!isParked(item)) return item;
      if (isUsed(item.deletion, inUse))
        return restoreItem(deps, order.ref, { item, items, detail: 'a Pod uses it', signal });
      await deps.audit.around(tagFact('delete', order.ref, item.deletion), () =>
        letGo(deps, item, items, signal),
      );
      deleted.push(item.deletion);
      return { deletion: item.deletion, state: 'deleted' };
    };
    try {
      return await workThrough(deps, order, await requireRecord(deps, order), step);
    } finally {
      await forgetDeleted(deps, deleted);
    }
  });
}

/** The next listing is smaller by what we deleted: without this it would not be believed. */
async function forgetDeleted(deps: ParkingDependencies, deleted: readonly Deletion[]): Promise<void> {
  for (const group of Map.groupBy(deleted, ({ site, image }) => JSON.stringify([site, image])).values()) {
    const [first] = group;
    if (first === undefined) continue;
    const tags = group.map(({ tag }) => tag);
    await changeDocument(
      deps.documents,
      ledgerKey(first.site, first.image),
      (ledger) => ledger && forgetTags(ledger, tags),
    );
  }
}

/** What the policy would delete and keep if it were planned now. Throws the code of what stops the run. */
async function judgeAgain(
  deps: ParkingDependencies,
  { ref }: PlanOrder,
  signal: AbortSignal,
): Promise<{ readonly going: ReadonlySet<string>; readonly kept: ReadonlySet<string> }> {
  const plan = await makePlan(deps, await requirePolicy(deps, ref), signal);
  const hold = plan.holds.find(stopsRun);
  if (hold !== undefined) {
    throw new Failure(hold.code, { subject: `${hold.site} ${hold.path}`, detail: hold.detail });
  }
  return {
    going: new Set(deletions(plan).map(key)),
    kept: new Set(plan.items.filter(({ action }) => action === 'keep').map(key)),
  };
}

async function parkItem(
  deps: ParkingDependencies,
  ref: ObjectRef,
  deletion: Deletion,
  signal: AbortSignal,
): Promise<ParkedItem> {
  const endpoint = await targetEndpoint(deps, deletion.site, deletion.image);
  const fence = (): Promise<void> => requireCurrentTry(deps.fence, deletion.tag);
  const outcome = await deps.audit.around(
    tagFact('park', ref, deletion),
    () => deps.parking.park(endpoint, deletion.tag, deletion.digest, signal, fence),
    (end) => (end === 'parked' ? {} : { reason: end === 'moved' ? 'TagConflict' : 'TagNotFound' }),
  );
  if (outcome === 'parked') return { deletion, state: 'parked' };
  return skipped(deletion, outcome === 'moved' ? 'the tag was moved' : 'the tag is gone');
}

const plannedItem = (deletion: Deletion): ParkedItem => ({ deletion, state: 'planned' });
const skipped = (deletion: Deletion, detail: string): ParkedItem => ({ deletion, state: 'skipped', detail });
const key = ({ site, path, tag, digest }: Pick<Deletion, 'site' | 'path' | 'tag' | 'digest'>): string =>
  JSON.stringify([site, path, tag, digest]);
