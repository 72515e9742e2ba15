import { Failure } from '../domain/failure.ts';
import { inWindow } from '../domain/in-window.ts';
import type { AccessQuestion } from '../infra/kubernetes/cluster.ts';
import type { Call } from './context.ts';

/** Questions that are out at once. */
const atOnce = 8;

/**
 * Requires the right to each object. The cluster is asked about every distinct one by its name, as it may forbid a single one
 * of those that it allows as a whole. Throws `AccessDenied` for the first that is forbidden, which alone is in the audit log.
 */
export async function requireEach(
  call: Pick<Call<unknown, unknown, unknown>, 'allows' | 'require'>,
  questions: readonly AccessQuestion[],
): Promise<void> {
  const distinct = new Map(questions.map((question) => [JSON.stringify(question), question]));
  const forbidden = await firstForbidden(call, [...distinct.values()]);
  if (forbidden === undefined) return;
  await call.require(forbidden);
  // The right came just now, and those after it were not asked about.
  throw new Failure('AccessDenied', { side: 'caller' });
}

async function firstForbidden(
  call: Pick<Call<unknown, unknown, unknown>, 'allows'>,
  questions: readonly AccessQuestion[],
): Promise<AccessQuestion | undefined> {
  let isRefused = false;
  const allowed = await inWindow(questions, atOnce, async (question) => {
    if (isRefused) return true;
    const isAllowed = await call.allows(question);
    if (!isAllowed) isRefused = true;
    return isAllowed;
  });
  return questions.find((_, index) => allowed[index] === false);
}
