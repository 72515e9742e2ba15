import { activityInfo, Context } from '@temporalio/activity';
import { httpStatus } from '../domain/api/status.ts';
import {
  destructiveVerbs,
  factKey,
  imagesOf,
  type AuditActor,
  type AuditEntry,
  type AuditImage,
  type AuditObject,
  type AuditStage,
} from '../domain/audit/record.ts';
import { asFailure, Failure, type FailureCode } from '../domain/failure.ts';
import type { AuditOutbox, AuditReader } from '../infra/audit/audit-log.ts';

/** What a step does, as far as the audit log tells of it. */
export interface StepFact {
  readonly verb: string;
  readonly object: AuditObject;
  readonly images?: readonly AuditImage[];
  readonly trigger?: string;
  readonly onBehalfOf?: string;
  /** Name of the action within its run, where several steps tell of one. Default: this step is one. */
  readonly action?: string;
  /** The run in which the action began. Default: this one. */
  readonly begun?: string;
  /** Tells apart several acts of one step. Default: it has one. */
  readonly key?: string;
}

/** How an act ended. */
export interface StepEnd {
  readonly reason?: FailureCode;
  /** Default: those of the intent. */
  readonly images?: readonly AuditImage[];
}

/** Writes what the steps of workflows do into the audit log: before the effect, and when it ended. */
export interface StepAudit {
  /** The intent. Throws `AuditUnavailable`, so that nothing is done that the log does not know of. */
  begin(fact: StepFact, stage?: 'Requested' | 'Started'): Promise<void>;
  /** The outcome. */
  end(fact: StepFact, end?: StepEnd): Promise<void>;
  /** Both around work. A failure that Temporal will try again leaves the intent open for the next try. */
  around<T>(fact: StepFact, work: () => Promise<T>, ended?: (result: T) => StepEnd): Promise<T>;
}

/** What the audit of steps is handed. */
export interface StepAuditDependencies {
  readonly outbox: AuditOutbox;
  readonly reader: AuditReader;
  readonly stream: string;
  /** The process's own identity in the cluster. */
  readonly actor: AuditActor;
  /** The machine that it runs on. */
  readonly source: string;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** Tries whose records are kept in mind at once. */
const rememberedTries = 50;

/** Builds it. A step that is tried again writes nothing twice (fault Q07): it looks up what its tries before wrote. */
export function createStepAudit(deps: StepAuditDependencies): StepAudit {
  const tries = new Map<string, Promise<Set<string>>>();
  const written = (): Promise<Set<string>> => {
    const { attempt, base64TaskToken, scheduledTimestampMs } = activityInfo();
    const known = tries.get(base64TaskToken);
    if (known !== undefined) return known;
    const found = attempt === 1 ? Promise.resolve(new Set<string>()) : factsSince(deps, scheduledTimestampMs);
    tries.set(base64TaskToken, found);
    const oldest = tries.keys().next().value;
    if (tries.size > rememberedTries && oldest !== undefined) tries.delete(oldest);
    return found;
  };
  const write = async (entry: AuditEntry): Promise<void> => {
    const known = await written();
    if (known.has(factKey(entry))) return;
    const isIntent = entry.stage === 'Requested' || entry.stage === 'Started';
    if (isIntent && destructiveVerbs.has(entry.verb)) await deps.outbox.append(entry);
    else await deps.outbox.keep(entry);
    known.add(factKey(entry));
  };
  const begin: StepAudit['begin'] = (fact, stage = 'Requested') => write(entryOf(deps, fact, stage));
  const end: StepAudit['end'] = (fact, { reason, images } = {}) => {
    const entry = entryOf(
      deps,
      images === undefined ? fact : { ...fact, images },
      reason === undefined ? 'Completed' : 'Failed',
    );
    const outcome = reason === undefined ? { code: 200 } : { code: httpStatus(new Failure(reason)), reason };
    return write({ ...entry, outcome });
  };
  return {
    begin,
    end,
    around: async (fact, work, ended) => {
      await begin(fact);
      try {
        const result = await work();
        await end(fact, ended?.(result));
        return result;
      } catch (error) {
        const { code: reason } = asFailure(error);
        if (isLast(error)) await end(fact, { reason });
        throw error;
      }
    },
  };
}

async function factsSince({ reader, stream }: StepAuditDependencies, sinceMs: number): Promise<Set<string>> {
  const found = new Set<string>();
  for await (const record of reader.records(stream, sinceMs)) found.add(factKey(record));
  return found;
}

/** Whether no further try follows: it is not retryable, the tries are used up, or it was cancelled. */
function isLast(error: unknown): boolean {
  const { attempt, retryPolicy } = activityInfo();
  const { code, retryable } = asFailure(error);
  const most = retryPolicy?.maximumAttempts ?? 0;
  const { cancellationSignal: signal } = Context.current();
  if (signal.aborted) return String(signal.reason).includes('CANCELLED');
  return (
    !retryable ||
    (most > 0 && attempt >= most) ||
    retryPolicy?.nonRetryableErrorTypes?.includes(code) === true
  );
}

function entryOf(deps: StepAuditDependencies, fact: StepFact, stage: AuditStage): AuditEntry {
  const { activityId, workflowExecution } = activityInfo();
  const { workflowId = '', runId = '' } = workflowExecution ?? {};
  const own = [runId, activityId, ...(fact.key === undefined ? [] : [fact.key])].join('/');
  const { action, begun, verb, object, trigger, onBehalfOf, images } = fact;
  return {
    id: action === undefined ? own : `${begun ?? runId}/${action}`,
    stage,
    time: new Date(deps.now()).toISOString(),
    verb,
    actor: deps.actor,
    source: deps.source,
    object,
    ...(images === undefined ? {} : imagesOf(images)),
    ...(trigger === undefined ? {} : { trigger }),
    ...(onBehalfOf === undefined ? {} : { onBehalfOf }),
    ...(action === undefined ? {} : { step: own }),
    workflow: { id: workflowId, runId },
  };
}
