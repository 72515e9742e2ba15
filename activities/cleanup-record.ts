import { Failure } from '../domain/failure.ts';
import type { PlanRecord } from '../domain/lifecycle/cleanup-run.ts';
import { summarize, type ParkedItem, type ParkingSummary } from '../domain/lifecycle/parking.ts';
import type { ObjectRef } from '../domain/resources/meta.ts';
import type { ParkingDependencies } from './cleanup-dependencies.ts';
import {
  changeDocument,
  lookAtDocument,
  planKey,
  replaceDocument,
  retiredKey,
  type RetiredTags,
} from './cleanup-documents.ts';
import { planHash } from './cleanup-plan.ts';

/** An approved plan, by its policy and hash. */
export interface PlanOrder {
  readonly ref: ObjectRef;
  readonly hash: string;
}

/** How many items are done between two writes of the record. */
const recordEvery = 20;

/** A record, and the version it was seen at. */
export interface OpenRecord {
  readonly record: PlanRecord;
  readonly version?: string;
}

/** The record of exactly this plan. Throws `PlanChanged` for any other. */
export async function requireRecord(deps: ParkingDependencies, order: PlanOrder): Promise<OpenRecord> {
  const { value: record, ...seen } = await lookAtDocument(deps.documents, planKey(order.ref));
  if (record?.hash === order.hash && (await planHash(record.plan)) === order.hash) return { record, ...seen };
  throw new Failure('PlanChanged', { side: 'caller', subject: order.hash.slice(0, 12) });
}

/** What becomes of one item; `items` is the list as it stands, to see who else needs the same content. */
export type ItemStep = (item: ParkedItem, items: readonly ParkedItem[]) => Promise<ParkedItem>;

/**
 * Works through a record's items one by one. The record is written before the first and after every few, and when a step
 * fails, so that whoever tries again knows what was begun. A worker that was frozen and replaced finds that another one
 * wrote the record since: its word counts no more, and it stops.
 */
export async function workThrough(
  deps: ParkingDependencies,
  order: PlanOrder,
  opened: OpenRecord,
  step: ItemStep,
): Promise<ParkingSummary> {
  const items = [...opened.record.items];
  const save = recordWriter(deps, order, opened, items);
  await save();
  await rememberRetired(deps, items);
  try {
    for (const [index, item] of items.entries()) {
      items[index] = await step(item, items);
      if (index % recordEvery === recordEvery - 1) await save();
    }
  } finally {
    await save();
    await rememberRetired(deps, items);
  }
  return summarize(items);
}

/** Writes the items over what this very work wrote before. Throws `ClusterUnavailable`, see {@link replaceDocument}. */
function recordWriter(
  deps: ParkingDependencies,
  { ref }: PlanOrder,
  { record, version: first }: OpenRecord,
  items: readonly ParkedItem[],
): () => Promise<void> {
  let version = first;
  return async () => {
    version = await replaceDocument(deps.documents, planKey(ref), { ...record, items }, version);
  };
}

/** Writes down which digests of which tags no sync may bring back, and forgets those that were restored. */
async function rememberRetired(deps: ParkingDependencies, items: readonly ParkedItem[]): Promise<void> {
  const places = Map.groupBy(items, ({ deletion }) => JSON.stringify([deletion.site, deletion.image]));
  for (const group of places.values()) {
    const [first] = group;
    if (first === undefined) continue;
    const key = retiredKey(first.deletion.site, first.deletion.image);
    await changeDocument(deps.documents, key, (before = {}) => {
      const after = retiredAfter(before, group);
      return JSON.stringify(after) === JSON.stringify(before) ? undefined : after;
    });
  }
}

function retiredAfter(before: RetiredTags, items: readonly ParkedItem[]): RetiredTags {
  const after = new Map(Object.entries(before));
  for (const { state, deletion } of items) {
    if (state === 'parking' || state === 'parked' || state === 'deleted')
      after.set(deletion.tag, deletion.digest);
    else if (after.get(deletion.tag) === deletion.digest) after.delete(deletion.tag);
  }
  return Object.fromEntries(after);
}
