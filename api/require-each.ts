import { Failure } from '../domain/failure.ts';
import { inWindow } from '../domain/in-window.ts';
import type { AccessQuestion } from '../infra/kubernetes/cluster.ts';
import type { Call } from './context.ts';

/** Questions that are out at once. */
const atOnce = 8;

/**
 * Requires the right to each object, asking the cluster once for those of one kind and namespace where the caller has the
 * right to all of them, and once for each name else: who may do it to single objects only keeps that. Throws `AccessDenied`
 * for the first that is forbidden, which alone is in the audit log.
 */
export async function requireEach(
  call: Pick<Call<unknown, unknown, unknown>, 'allows' | 'require'>,
  questions: readonly AccessQuestion[],
): Promise<void> {
  const named = await inWindow(groupsOf(questions), atOnce, async ({ wide, each }) =>
    each.length > 1 && (await call.allows(wide)) ? [] : each,
  );
  const forbidden = await firstForbidden(call, named.flat());
  if (forbidden === undefined) return;
  await call.require(forbidden);
  // The right came just now, and those after it were not asked about.
  throw new Failure('AccessDenied', { side: 'caller' });
}

interface Group {
  /** The question about all of them. */
  readonly wide: AccessQuestion;
  readonly each: readonly AccessQuestion[];
}

/** Distinct questions that differ in nothing but the name. */
function groupsOf(questions: readonly AccessQuestion[]): readonly Group[] {
  const distinct = new Map(questions.map((question) => [JSON.stringify(question), question]));
  const groups = Map.groupBy(distinct.values(), (question) => JSON.stringify(withoutName(question)));
  return [...groups.values()].flatMap((each) => {
    const [first] = each;
    return first === undefined ? [] : [{ wide: withoutName(first), each }];
  });
}

function withoutName(question: AccessQuestion): AccessQuestion {
  const { name: _, ...wide } = question;
  return wide;
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
