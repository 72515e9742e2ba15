import { CancellationScope, condition, patched } from '@temporalio/workflow';
import type { Claim } from '../domain/sync/plan.ts';
import type { AskedAgain } from './asked-again.ts';
import { cluster } from './steps.ts';
import type { SyncClock } from './sync-clock.ts';

/**
 * Does work for as long as it is wanted: whenever the run hears of an edit, it asks whether the Repository still wants what
 * the run does. Where it does not, the clock calls off the work as `Superseded`. What is at the sites by then stays.
 */
export async function whileWanted<T>(
  claim: Claim,
  again: Readonly<AskedAgain>,
  clock: Pick<SyncClock, 'stop'>,
  work: () => Promise<T>,
): Promise<T> {
  const watch = new CancellationScope();
  void watch
    .run(() => untilUnwanted(claim, again))
    .then(
      () => {
        const detail = 'its spec was changed';
        if (!watch.consideredCancelled)
          clock.stop({ code: 'Superseded', side: 'cluster', subject: claim.ref.name, detail });
      },
      // The work ended first.
      () => undefined,
    );
  try {
    return await work();
  } finally {
    watch.cancel();
  }
}

/** Edits that come together are one question. */
async function untilUnwanted(claim: Claim, again: Readonly<AskedAgain>): Promise<void> {
  for (let known = 0; ;) {
    await condition(() => again.edits > known);
    known = again.edits;
    // Runs that heard of edits before there was this go on, and notice before they write a tag.
    if (patched('called-off-when-edited') && !(await isWanted(claim))) return;
  }
}

/** Without an answer the work goes on: before a tag is written it is asked again. A question that is out is not taken back. */
async function isWanted(claim: Claim): Promise<boolean> {
  try {
    return await CancellationScope.nonCancellable(() => cluster.stillWanted(claim));
  } catch {
    return true;
  }
}
