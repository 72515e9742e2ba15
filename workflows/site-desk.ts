import {
  CancellationScope,
  condition,
  continueAsNew,
  defineSignal,
  getExternalWorkflowHandle,
  isCancellation,
  patched,
  setHandler,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import type { ObjectRef } from '../domain/resources/meta.ts';
import { deskSignals, type DeskInput, type SiteOpening } from '../domain/sync/desk.ts';
import { syncWorkflowId } from '../domain/sync/ids.ts';
import { syncAgainSignal } from '../domain/sync/input.ts';
import { childSync } from './child-sync.ts';
import { cluster, greeting } from './steps.ts';
import { syncRepository } from './sync.ts';

/** Longest sleep, in milliseconds; then it looks again. */
const longestSleepMs = 86_400_000;
/** Syncs started together. */
const startsAtOnce = 10;

interface Desk {
  readonly waiting: Map<string, ObjectRef>;
  /** Set when the EdgeSite was changed. */
  news: boolean;
}

/**
 * Where Repositories wait for one site: until its sync window opens, or its own worker takes work again. Then it starts
 * their syncs. Ends when nobody waits.
 */
export async function siteDesk({ site, waiting }: DeskInput): Promise<void> {
  const desk: Desk = { waiting: new Map(waiting.map((ref) => [syncWorkflowId(ref), ref])), news: false };
  setHandler(defineSignal<[ObjectRef]>(deskSignals.wait), (ref) => {
    desk.waiting.set(syncWorkflowId(ref), ref);
    // They ask again each time they are synced, be the site away for weeks: a history that grew long is left behind.
    if (workflowInfo().continueAsNewSuggested && patched('desk-moves-on')) desk.news = true;
  });
  setHandler(defineSignal(deskSignals.look), () => {
    desk.news = true;
  });
  // A desk is begun by the signal of the first one who waits.
  await condition(() => desk.waiting.size > 0, '1 minute');
  while (desk.waiting.size > 0) {
    if (workflowInfo().continueAsNewSuggested) {
      return continueAsNew<typeof siteDesk>({ site, waiting: [...desk.waiting.values()] });
    }
    desk.news = false;
    const opening = await cluster.siteOpening(site);
    if (await isOver(desk, opening)) await startSyncs(desk);
  }
}

/** True where the wait is over; false where the EdgeSite has to be looked at again. */
async function isOver(desk: Desk, opening: SiteOpening): Promise<boolean> {
  if (opening.after === 'nothing') return true;
  if (opening.after === 'worker') return isThere(desk, opening.queue);
  const ms = Math.min(longestSleepMs, Math.max(1000, opening.at - Date.now()));
  await condition(() => desk.news, ms);
  return false;
}

/** Whether the site's worker took a step, which may take days, before the EdgeSite was changed. */
async function isThere(desk: Desk, queue: string): Promise<boolean> {
  const scope = new CancellationScope();
  const greeted = scope.run(async () => {
    try {
      await greeting(queue).greet();
      return true;
    } catch (error) {
      if (isCancellation(error)) return false;
      throw error;
    }
  });
  const told = condition(() => desk.news).then(() => false);
  const isHere = await Promise.race([greeted, told]);
  if (!isHere) scope.cancel();
  return isHere;
}

async function startSyncs({ waiting }: Desk): Promise<void> {
  while (waiting.size > 0) {
    const group = [...waiting.values()].slice(0, startsAtOnce);
    for (const ref of group) waiting.delete(syncWorkflowId(ref));
    await Promise.all(group.map(startSync));
  }
}

/** Starts a sync that outlives the desk, or asks the one that runs to run once more: it may have given up already. */
async function startSync(ref: ObjectRef): Promise<void> {
  while (!(await isStarted(ref)) && !(await isAsked(ref))) {
    // The one that ran ended between the two, and nothing is left that would bring what is waited for.
    if (!patched('desk-until-heard')) return;
  }
}

async function isAsked(ref: ObjectRef): Promise<boolean> {
  const running = getExternalWorkflowHandle(syncWorkflowId(ref));
  return running.signal(syncAgainSignal, 'resumed').then(
    () => true,
    () => false,
  );
}

/** False where one runs already. */
async function isStarted(ref: ObjectRef): Promise<boolean> {
  try {
    await startChild(syncRepository, childSync(ref, 'resumed'));
    return true;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
    throw error;
  }
}
