import { judge, primaryImage, type RunIdentity, type SyncOutcome } from './outcome.ts';
import type { SyncPlan } from './plan.ts';
import type { Survey } from './survey.ts';
import { addImage, addUnchanged, emptyTally, type Tally } from './tally.ts';

/**
 * How a run ends after whose first look nothing is left to do: every site has what upstream has, nobody asks for a
 * signature, and the status tells of the image already. Undefined where there is anything to do, or to complain about.
 */
export function quietOutcome(
  plan: SyncPlan,
  run: RunIdentity,
  survey: Survey,
  ended: string,
): SyncOutcome | undefined {
  if (plan.problem !== undefined || plan.verification !== undefined || survey.next !== undefined)
    return undefined;
  if (survey.images.some(({ needed }) => needed.length > 0)) return undefined;
  const outcome = judge(plan, run, { tally: tallyOf(plan, survey) }, ended);
  const image = primaryImage(outcome);
  const isDescribed = image === undefined || image.digest === plan.described;
  return outcome.result === 'Unchanged' && isDescribed ? outcome : undefined;
}

function tallyOf(plan: SyncPlan, { images, unchanged = 0, gone = [] }: Survey): Tally {
  const start = gone.length === 0 ? emptyTally : { ...emptyTally, gone };
  return images.reduce<Tally>(
    (tally, { tag, root, current, partial }) => {
      const nothing = { bytesMoved: 0, bytesReused: 0, changed: false };
      const part = partial === true ? { partial } : {};
      return addImage(tally, { tag, digest: root.digest, sites: current, ...nothing, ...part }, plan.tag);
    },
    addUnchanged(start, unchanged),
  );
}
