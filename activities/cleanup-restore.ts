import { asFailure, type Failure } from '../domain/failure.ts';
import type { ParkedItem, ParkingSummary } from '../domain/lifecycle/parking.ts';
import type { Deletion } from '../domain/lifecycle/plan.ts';
import type { ObjectRef } from '../domain/resources/meta.ts';
import type { ImagesInUse } from '../domain/usage/pod-usage.ts';
import type { ParkingDependencies } from './cleanup-dependencies.ts';
import { planKey, readDocument } from './cleanup-documents.ts';
import { requireRecord, workThrough, type PlanOrder } from './cleanup-record.ts';
import { targetEndpoint } from './endpoints.ts';
import { withHeartbeat } from './heartbeat.ts';
import type { StepFact } from './step-audit.ts';
import { requireCurrentTry } from './step-fence.ts';
import { lookAtUsage } from './usage.ts';

/** Puts parked tags back: those named as `tag` or `path:tag`, or all of them where none is named. */
export function restoreParked(
  deps: ParkingDependencies,
  order: PlanOrder & { readonly tags: readonly string[] },
): Promise<ParkingSummary> {
  const named = ({ tag, path }: Deletion): boolean =>
    order.tags.length === 0 || order.tags.includes(tag) || order.tags.includes(`${path}:${tag}`);
  return withHeartbeat((signal) =>
    restoreThose(deps, order, { wanted: named, detail: 'restored on request', signal }),
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
    const wanted = (deletion: Deletion): boolean => isUsed(deletion, inUse);
    return restoreThose(deps, order, { wanted, detail: 'a Pod uses it', signal });
  });
}

interface Wanted {
  readonly wanted: (deletion: Deletion) => boolean;
  readonly detail: string;
  readonly signal: AbortSignal;
}

/** A tag that cannot be put back for now holds up no other one; what it failed with is thrown when all were tried. */
async function restoreThose(
  deps: ParkingDependencies,
  order: PlanOrder,
  { wanted, detail, signal }: Wanted,
): Promise<ParkingSummary> {
  const failures: Failure[] = [];
  const opened = await requireRecord(deps, order);
  const summary = await workThrough(deps, order, opened, async (item, items) => {
    if (!isParked(item) || !wanted(item.deletion)) return item;
    try {
      return await restoreItem(deps, order.ref, { item, items, detail, signal });
    } catch (error) {
      signal.throwIfAborted();
      failures.push(asFailure(error));
      return item;
    }
  });
  const [first] = failures;
  if (first !== undefined) throw first;
  return summary;
}

interface Restoring {
  readonly item: ParkedItem;
  readonly items: readonly ParkedItem[];
  readonly detail: string;
  readonly signal: AbortSignal;
}

/** One tag. Where neither its content nor its site is there any more nothing can be put back, today or later. */
export async function restoreItem(
  deps: ParkingDependencies,
  ref: ObjectRef,
  { item, items, detail, signal }: Restoring,
): Promise<ParkedItem> {
  const { deletion } = item;
  try {
    const endpoint = await targetEndpoint(deps, deletion.site, deletion.image);
    await deps.audit.around(tagFact('restore', ref, deletion), async () => {
      await requireCurrentTry(deps.fence, deletion.tag);
      await deps.parking.restore(endpoint, deletion.tag, deletion.digest, signal);
      await letGo(deps, item, items, signal);
    });
    return { deletion, state: 'restored', detail };
  } catch (error) {
    if (asFailure(error).code !== 'RollbackTargetMissing' && (await isSiteThere(deps, deletion))) throw error;
    return { deletion, state: 'skipped', detail: 'it cannot be put back: its content or its site is gone' };
  }
}

const isSiteThere = async (deps: ParkingDependencies, { site }: Deletion): Promise<boolean> =>
  (await deps.resources.resource('edgesites').get({ name: site })) !== undefined;

/** What is done to one tag. Parking and deleting take it away, restoring brings its digest back. */
export function tagFact(verb: 'park' | 'restore' | 'delete', ref: ObjectRef, deletion: Deletion): StepFact {
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
export async function letGo(
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
  await requireCurrentTry(deps.fence, deletion.tag);
  await deps.parking.discard(endpoint, deletion.digest, signal);
}

/** Whether a Pod uses it, by digest or by name. */
export const isUsed = ({ digest, ids }: Deletion, inUse: ImagesInUse): boolean =>
  [digest, ...ids].some((id) => inUse.digests.has(id) || inUse.names.has(id));
/** Whether the tag may be taken away already. */
export const isParked = ({ state }: ParkedItem): boolean => state === 'parked' || state === 'parking';
const content = ({ site, path, digest }: Deletion): string => JSON.stringify([site, path, digest]);
