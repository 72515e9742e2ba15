import { Failure } from '../domain/failure.ts';
import type { ParkedItem, ParkingSummary } from '../domain/lifecycle/parking.ts';
import { deletions, stopsRun, type Deletion } from '../domain/lifecycle/plan.ts';
import type { ObjectRef } from '../domain/resources/meta.ts';
import type { ImagesInUse } from '../domain/usage/pod-usage.ts';
import type { ParkingDependencies } from './cleanup-dependencies.ts';
import { forgetTags } from '../domain/lifecycle/tag-ledger.ts';
import { ledgerKey, planKey, readDocument, writeDocument } from './cleanup-documents.ts';
import { makePlan, requirePolicy } from './cleanup-plan.ts';
import { requireRecord, workThrough, type ItemStep, type PlanOrder } from './cleanup-record.ts';
import { targetEndpoint } from './endpoints.ts';
import { withHeartbeat } from './heartbeat.ts';
import type { StepFact } from './step-audit.ts';
import { lookAtUsage, requireUsage } from './usage.ts';

/**
 * Parks the tags of an approved plan. Everything is judged again first: what became protected since is skipped, and
 * nothing is added. May be tried again: what is begun is written down before it is begun.
 */
export function parkPlan(deps: ParkingDependencies, order: PlanOrder): Promise<ParkingSummary> {
  return withHeartbeat(async (signal) => {
    const record = await requireRecord(deps, order);
    const { going, kept } = await judgeAgain(deps, order, signal);
    const planned = record.items.length > 0 ? record.items : deletions(record.plan).map(plannedItem);
    const items = planned.map((item): ParkedItem => {
      const open = item.state === 'planned' ? !going.has(key(item.deletion)) : kept.has(key(item.deletion));
      if (item.state !== 'planned' && item.state !== 'parking') return item;
      return open
        ? skipped(item.deletion, 'it is kept by now')
        : { deletion: item.deletion, state: 'parking' };
    });
    return workThrough(deps, order, { ...record, items }, async (item) =>
      item.state === 'parking' ? parkItem(deps, order.ref, item.deletion, signal) : item,
    );
  });
}

/** Puts parked tags back: those named as `tag` or `path:tag`, or all of them where none is named. */
export function restoreParked(
  deps: ParkingDependencies,
  order: PlanOrder & { readonly tags: readonly string[] },
): Promise<ParkingSummary> {
  const named = ({ tag, path }: Deletion): boolean =>
    order.tags.length === 0 || order.tags.includes(tag) || order.tags.includes(`${path}:${tag}`);
  return withHeartbeat(async (signal) =>
    workThrough(deps, order, await requireRecord(deps, order), async (item, items) =>
      isParked(item) && named(item.deletion)
        ? restoreItem(deps, order.ref, { item, items, detail: 'restored on request', signal })
        : item,
    ),
  );
}

/** Puts back what a run that was cut off had parked. Without such a run it does nothing. */
export async function restoreLeftovers(deps: ParkingDependencies, ref: ObjectRef): Promise<void> {
  const record = await readDocument(deps.documents, planKey(ref));
  if (record?.items.some(isParked) === true) await restoreParked(deps, { ref, hash: record.hash, tags: [] });
}

/** Puts back what Pods came to use since it was parked. A cluster that does not answer is asked again next time. */
export function restoreUsed(deps: ParkingDependencies, order: PlanOrder): Promise<ParkingSummary> {
  return withHeartbeat(async (signal) => {
    const inUse = await lookAtUsage(deps);
    return workThrough(deps, order, await requireRecord(deps, order), async (item, items) =>
      isParked(item) && isUsed(item.deletion, inUse)
        ? restoreItem(deps, order.ref, { item, items, detail: 'a Pod uses it', signal })
        : item,
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
    const key = ledgerKey(first.site, first.image);
    const ledger = await readDocument(deps.documents, key);
    const tags = group.map(({ tag }) => tag);
    if (ledger !== undefined) await writeDocument(deps.documents, key, forgetTags(ledger, tags));
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
  const outcome = await deps.audit.around(
    tagFact('park', ref, deletion),
    () => deps.parking.park(endpoint, deletion.tag, deletion.digest, signal),
    (end) => (end === 'parked' ? {} : { reason: end === 'moved' ? 'TagConflict' : 'TagNotFound' }),
  );
  if (outcome === 'parked') return { deletion, state: 'parked' };
  return skipped(deletion, outcome === 'moved' ? 'the tag was moved' : 'the tag is gone');
}

interface Restoring {
  readonly item: ParkedItem;
  readonly items: readonly ParkedItem[];
  readonly detail: string;
  readonly signal: AbortSignal;
}

async function restoreItem(
  deps: ParkingDependencies,
  ref: ObjectRef,
  { item, items, detail, signal }: Restoring,
): Promise<ParkedItem> {
  const { deletion } = item;
  const endpoint = await targetEndpoint(deps, deletion.site, deletion.image);
  await deps.audit.around(tagFact('restore', ref, deletion), async () => {
    await deps.parking.restore(endpoint, deletion.tag, deletion.digest, signal);
    await letGo(deps, item, items, signal);
  });
  return { deletion, state: 'restored', detail };
}

/** What is done to one tag. Parking and deleting take it away, restoring brings its digest back. */
function tagFact(verb: 'park' | 'restore' | 'delete', ref: ObjectRef, deletion: Deletion): StepFact {
  const { site, image: repository, tag, digest } = deletion;
  const shows = verb === 'restore' ? { digestAfter: digest } : { digestBefore: digest };
  return {
    verb,
    object: { resource: 'imagecleanuppolicies', subresource: 'tags', ...ref },
    images: [{ site, repository, tag, ...shows }],
    key: `${verb}/${site}/${repository}:${tag}`,
  };
}

/** Removes the tag that holds a digest, unless another parked tag still needs it. */
async function letGo(
  deps: ParkingDependencies,
  item: ParkedItem,
  items: readonly ParkedItem[],
  signal: AbortSignal,
): Promise<void> {
  const { deletion } = item;
  const others = items.filter(
    (other) => other !== item && isParked(other) && content(other.deletion) === content(deletion),
  );
  if (others.length > 0) return;
  const endpoint = await targetEndpoint(deps, deletion.site, deletion.image);
  await deps.parking.discard(endpoint, deletion.digest, signal);
}

const isUsed = ({ digest, ids }: Deletion, inUse: ImagesInUse): boolean =>
  [digest, ...ids].some((id) => inUse.digests.has(id) || inUse.names.has(id));
const plannedItem = (deletion: Deletion): ParkedItem => ({ deletion, state: 'planned' });
const skipped = (deletion: Deletion, detail: string): ParkedItem => ({ deletion, state: 'skipped', detail });
const isParked = ({ state }: ParkedItem): boolean => state === 'parked' || state === 'parking';
const content = ({ site, path, digest }: Deletion): string => JSON.stringify([site, path, digest]);
const key = ({ site, path, tag, digest }: Pick<Deletion, 'site' | 'path' | 'tag' | 'digest'>): string =>
  JSON.stringify([site, path, tag, digest]);
