import { randomUUID } from 'node:crypto';
import { httpStatus } from '../../domain/api/status.ts';
import type { AuditActor, AuditEntry, AuditObject, AuditStage } from '../../domain/audit/record.ts';
import { asFailure } from '../../domain/failure.ts';
import type { AuditOutbox } from './audit-log.ts';
import type { Requesters } from './latest-requests.ts';

/** What the audit of actions is handed. */
export interface ActionAuditOptions {
  readonly outbox: AuditOutbox;
  readonly requesters: Requesters;
  /** The process's own identity in the cluster. */
  readonly actor: AuditActor;
  /** The machine that it runs on. */
  readonly source: string;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Told of an outcome that could not be written. */
  readonly onTrouble: (error: unknown) => void;
}

/** What a process starts or stops by itself. */
export interface Action {
  readonly verb: string;
  readonly object: AuditObject;
  /** Why it does. */
  readonly trigger?: string;
  /** What tells it from another one of its kind. Default: nothing. */
  readonly request?: string;
  /** Whether it is asked for until it is seen to be done. Default: no, only one that failed is tried again. */
  readonly repeats?: boolean;
  /** Verbs by which a person asks for it. */
  readonly askedBy: readonly string[];
}

/** The run that an action started, or found. */
interface Run {
  readonly workflowId: string;
  readonly runId: string;
}

/** An action whose intent is written. */
interface Known {
  readonly entry: AuditEntry;
  readonly at: number;
  /** The run that its last outcome names. */
  runId?: string;
}

/** Milliseconds for which asking again for the same counts as the same action. */
const sameActionMs = 300_000;
/** Actions kept in mind. */
const mostActions = 10_000;

/**
 * Writes what the reconcilers start and stop into the log: before, and how it ended. Some they ask for until they see that
 * they were heard, and all of it again after a failure; that is one action still, with one intent and one outcome for each
 * run that it led to, so that neither a busy nor a broken Temporal fills the log.
 */
export class ActionAudit {
  readonly #options: ActionAuditOptions;
  /** Oldest first. */
  readonly #known = new Map<string, Known>();

  constructor(options: ActionAuditOptions) {
    this.#options = options;
  }

  /** Throws `AuditUnavailable`, with nothing done, where the intent cannot be kept. */
  async around<T>(action: Action, work: () => Promise<T>, runOf: (result: T) => Run | undefined): Promise<T> {
    const key = JSON.stringify([action.verb, action.object, action.trigger, action.request]);
    const known = await this.#intent(key, action);
    try {
      const result = await work();
      await this.#end(known, runOf(result));
      if (action.repeats !== true) this.#known.delete(key);
      return result;
    } catch (error) {
      const { code: reason, retryable } = asFailure(error);
      // It is tried again, and stays open till then.
      if (retryable) throw error;
      this.#known.delete(key);
      await this.#write(known, 'Failed', { outcome: { code: httpStatus(asFailure(error)), reason } });
      throw error;
    }
  }

  async #intent(key: string, action: Action): Promise<Known> {
    const { now, outbox } = this.#options;
    const before = this.#known.get(key);
    if (before !== undefined && now() - before.at < sameActionMs) return before;
    const known = { entry: await this.#entry(action), at: now() };
    await outbox.keep(known.entry);
    this.#known.delete(key);
    this.#known.set(key, known);
    const [oldest] = this.#known.keys();
    if (this.#known.size > mostActions && oldest !== undefined) this.#known.delete(oldest);
    return known;
  }

  async #end(known: Known, run: Run | undefined): Promise<void> {
    if (run !== undefined && known.runId === run.runId) return;
    const { workflowId: id = '', runId = '' } = run ?? {};
    const workflow = run === undefined ? {} : { workflow: { id, runId }, step: runId };
    const isWritten = await this.#write(known, 'Completed', { outcome: { code: 200 }, ...workflow });
    if (isWritten) known.runId = runId;
  }

  /** What is done cannot be undone for want of a log: an outcome that is lost leaves its intent open, to be closed as unknown. */
  async #write({ entry }: Known, stage: AuditStage, rest: Partial<AuditEntry>): Promise<boolean> {
    const { now, outbox, onTrouble } = this.#options;
    try {
      await outbox.keep({ ...entry, ...rest, stage, time: new Date(now()).toISOString() });
      return true;
    } catch (error) {
      onTrouble(error);
      return false;
    }
  }

  async #entry({ verb, object, trigger, askedBy }: Action): Promise<AuditEntry> {
    const { actor, source, now, requesters } = this.#options;
    const person = askedBy.length === 0 ? undefined : await requesters.whoAsked(object, askedBy);
    return {
      id: randomUUID(),
      stage: 'Requested',
      time: new Date(now()).toISOString(),
      verb,
      actor,
      source,
      object,
      ...(trigger === undefined ? {} : { trigger }),
      ...(person === undefined ? {} : { onBehalfOf: person }),
    };
  }
}
