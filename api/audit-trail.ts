import type { Logger } from 'pino';
import { httpStatus } from '../domain/api/status.ts';
import { destructiveVerbs, type AuditEntry, type AuditStage } from '../domain/audit/record.ts';
import { asFailure } from '../domain/failure.ts';
import type { AccessQuestion, Caller } from '../infra/kubernetes/cluster.ts';
import type { AuditOutbox } from '../infra/audit/audit-log.ts';
import type { Answer } from './route.ts';

/** Refusals a minute of one source that are written one by one; the rest are counted (fault Q10). */
const refusalsPerMinute = 100;
/** Sources whose refusals are counted at once. */
const maximumSources = 1_000;

/** A call, as far as the audit log tells of it. */
export interface AuditedCall {
  readonly id: string;
  readonly caller: Caller;
  readonly question: AccessQuestion;
  readonly source: string;
  readonly userAgent: string;
}

interface Refusals {
  count: number;
  left: number;
  since: number;
}

/** Writes the intent before the effect and the outcome after it. */
export class AuditTrail {
  readonly #outbox: AuditOutbox;
  readonly #now: () => Date;
  readonly #log: Logger;
  readonly #refusals = new Map<string, Refusals>();

  constructor(outbox: AuditOutbox, now: () => Date, log: Logger) {
    this.#outbox = outbox;
    this.#now = now;
    this.#log = log;
  }

  /** Does the work of a changing call. Throws `AuditUnavailable`, with nothing done, where its intent cannot be kept. */
  async around(call: AuditedCall, work: () => Promise<Answer>): Promise<Answer> {
    const requested = this.#entry(call, 'Requested');
    if (destructiveVerbs.has(requested.verb)) await this.#outbox.append(requested);
    else await this.#outbox.keep(requested);
    try {
      const answer = await work();
      const workflow = answer.workflow === undefined ? {} : { workflow: answer.workflow };
      await this.#close({ ...this.#entry(call, 'Completed'), outcome: { code: answer.status }, ...workflow });
      return answer;
    } catch (error) {
      const failure = asFailure(error);
      const outcome = { code: httpStatus(failure), reason: failure.code };
      await this.#close({ ...this.#entry(call, 'Failed'), outcome });
      throw error;
    }
  }

  /** Tells of a refusal. One source's many refusals are counted, so that nobody can fill the log with them. */
  async denied(call: AuditedCall): Promise<void> {
    const now = this.#now().getTime();
    const key = `${call.source} ${call.caller.username}`;
    const before = this.#refusals.get(key);
    const fresh = before === undefined || now - before.since >= 60_000;
    const refusals = fresh ? { count: 0, left: before?.left ?? 0, since: now } : before;
    refusals.count += 1;
    this.#remember(key, refusals);
    if (refusals.count > refusalsPerMinute) {
      refusals.left += 1;
      return;
    }
    const repeated = refusals.left > 0 ? { repeated: refusals.left } : {};
    refusals.left = 0;
    await this.#close({
      ...this.#entry(call, 'Denied'),
      outcome: { code: 403, reason: 'AccessDenied' },
      ...repeated,
    });
  }

  /**
   * What is done cannot be undone for want of a log: an outcome waits on the disk until the log is back. Where it cannot
   * wait either, its intent stays open, and is closed as unknown later.
   */
  async #close(entry: AuditEntry): Promise<void> {
    try {
      await this.#outbox.keep(entry);
    } catch (error) {
      this.#log.error({ err: error, id: entry.id, stage: entry.stage }, 'audit record lost');
    }
  }

  #remember(key: string, refusals: Refusals): void {
    this.#refusals.delete(key);
    this.#refusals.set(key, refusals);
    const oldest = this.#refusals.keys().next().value;
    if (this.#refusals.size > maximumSources && oldest !== undefined) this.#refusals.delete(oldest);
  }

  #entry(call: AuditedCall, stage: AuditStage): AuditEntry {
    const { verb, resource, subresource, namespace, name } = call.question;
    return {
      id: call.id,
      stage,
      time: this.#now().toISOString(),
      verb: subresource ?? verb,
      actor: { name: call.caller.username, uid: call.caller.uid },
      source: call.source,
      ...(call.userAgent === '' ? {} : { userAgent: call.userAgent.toWellFormed().slice(0, 256) }),
      object: {
        resource,
        ...(subresource === undefined ? {} : { subresource }),
        ...(namespace === undefined ? {} : { namespace }),
        ...(name === undefined ? {} : { name }),
      },
    };
  }
}
