import type { Logger } from 'pino';
import { httpStatus } from '../domain/api/status.ts';
import { destructiveVerbs, type AuditEntry, type AuditStage } from '../domain/audit/record.ts';
import { asFailure } from '../domain/failure.ts';
import type { AccessQuestion, Caller } from '../infra/kubernetes/cluster.ts';
import type { AuditWriter } from '../infra/audit/audit-log.ts';
import type { Answer } from './route.ts';

/** Entries kept while the log cannot be written; with more, nothing that must be audited is done any more. */
const maximumBuffered = 1_000;
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
  readonly #writer: AuditWriter;
  readonly #now: () => Date;
  readonly #log: Logger;
  readonly #buffer: AuditEntry[] = [];
  readonly #refusals = new Map<string, Refusals>();

  constructor(writer: AuditWriter, now: () => Date, log: Logger) {
    this.#writer = writer;
    this.#now = now;
    this.#log = log;
  }

  /** Does the work of a changing call. Throws `AuditUnavailable`, with nothing done, where its intent cannot be kept. */
  async around(call: AuditedCall, work: () => Promise<Answer>): Promise<Answer> {
    const requested = this.#entry(call, 'Requested');
    if (destructiveVerbs.has(requested.verb)) await this.#writer.append(requested);
    else await this.#keep(requested);
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

  /** Writes what waits, for a timer and before the process ends. */
  async flush(): Promise<void> {
    while (this.#buffer.length > 0) {
      const [first] = this.#buffer;
      if (first !== undefined) await this.#writer.append(first);
      this.#buffer.shift();
    }
  }

  /** What is done cannot be undone for want of a log: an outcome is kept in memory and written when the log is back. */
  async #close(entry: AuditEntry): Promise<void> {
    try {
      await this.#keep(entry);
    } catch (error) {
      this.#log.error({ err: error, id: entry.id, stage: entry.stage }, 'audit record lost');
    }
  }

  async #keep(entry: AuditEntry): Promise<void> {
    try {
      if (this.#buffer.length > 0) await this.flush();
      await this.#writer.append(entry);
    } catch (error) {
      if (this.#buffer.length >= maximumBuffered) throw error;
      this.#buffer.push(entry);
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
