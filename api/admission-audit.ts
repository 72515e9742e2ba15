import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { changeVerb, hasContentOf, type ChangedObject } from '../domain/admission/change.ts';
import { admitted, type AdmissionVerdict } from '../domain/admission/review.ts';
import { destructiveVerbs, type AuditActor, type AuditEntry } from '../domain/audit/record.ts';
import { kinds, type Plural } from '../domain/resources/kinds.ts';
import type { AuditOutbox } from '../infra/audit/audit-log.ts';
import type { EventRecorder } from '../infra/kubernetes/cluster.ts';
import type { ResourceCaches } from './dependencies.ts';

/** A change on its way into the cluster, as the API server tells of it. */
export interface ReviewedChange {
  readonly resource: Plural;
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE';
  readonly user: AuditActor;
  readonly object?: ChangedObject;
  readonly oldObject?: ChangedObject;
}

/** What auditing of changes is handed. */
export interface AdmissionAuditDependencies {
  readonly outbox: AuditOutbox;
  readonly caches: ResourceCaches;
  readonly events: EventRecorder;
  /** Name of our own account: what it does is in the log already. */
  readonly own: string;
  readonly log: Logger;
  readonly now: () => Date;
  /** Milliseconds that the cluster has to show a change. Default: 10 s. */
  readonly patienceMs?: number;
}

/** Kinds whose changes are audited. */
export const auditedKinds = [
  'registrysecrets',
  'repositories',
  'imagecleanuppolicies',
  'edgesites',
  'imagebundles',
] as const satisfies readonly Plural[];

const defaultPatienceMs = 10_000;
/** Milliseconds that the API server waits for the log, below its own time-out of five seconds. */
const logPatienceMs = 3_000;

interface Waiting {
  readonly entry: AuditEntry;
  readonly change: ReviewedChange;
  readonly name: string;
  readonly timer: NodeJS.Timeout;
}

/**
 * Audits what people do with kubectl and everything else that talks to the cluster itself. The intent is written when
 * the API server asks; that it came to be, when the cluster shows it. What it does not show in time ends as `Unknown`:
 * it may have been refused by others.
 */
export class AdmissionAudit {
  readonly #deps: AdmissionAuditDependencies;
  readonly #waiting = new Set<Waiting>();

  constructor(deps: AdmissionAuditDependencies) {
    this.#deps = deps;
    for (const plural of auditedKinds) {
      deps.caches.cache(plural).onChange((object, gone) => this.#seen(plural, object, gone));
    }
  }

  /** Writes the intent. A destructive change is refused where that cannot be done; others go on, as calls of the API do. */
  async review(change: ReviewedChange): Promise<AdmissionVerdict> {
    const entry = this.#entry(change, 'Requested');
    if (entry === undefined) return admitted;
    const isDestructive = destructiveVerbs.has(entry.verb);
    const written = isDestructive ? this.#deps.outbox.append(entry) : this.#deps.outbox.keep(entry);
    try {
      await inTime(written);
    } catch (error) {
      this.#deps.log.error({ err: error, id: entry.id }, 'a change could not be audited');
      if (isDestructive) return { allowed: false, message: cannotAudit };
    }
    this.#await(change, entry);
    return admitted;
  }

  /** Tells of a change that our own webhooks refused. */
  async refused(change: ReviewedChange): Promise<void> {
    const entry = this.#entry(change, 'Denied');
    if (entry === undefined) return;
    const outcome = { code: 403, reason: 'AccessDenied' } as const;
    await inTime(this.#deps.outbox.keep({ ...entry, outcome })).catch((error: unknown) =>
      this.#deps.log.error({ err: error, id: entry.id }, 'a refusal could not be audited'),
    );
  }

  #entry(change: ReviewedChange, stage: AuditEntry['stage']): AuditEntry | undefined {
    if (change.user.name === this.#deps.own) return undefined;
    const verb = changeVerb(change.operation, change.oldObject, change.object);
    const { name = '', namespace } = (change.object ?? change.oldObject)?.metadata ?? {};
    if (verb === undefined) return undefined;
    return {
      id: randomUUID(),
      stage,
      time: this.#deps.now().toISOString(),
      verb,
      actor: change.user,
      source: 'kubernetes',
      object: { resource: change.resource, ...(namespace === undefined ? {} : { namespace }), name },
    };
  }

  #await(change: ReviewedChange, entry: AuditEntry): void {
    const waiting: Waiting = {
      entry,
      change,
      name: `${entry.object.namespace ?? ''}/${entry.object.name ?? ''}`,
      timer: setTimeout(() => this.#end(waiting, 'Unknown'), this.#deps.patienceMs ?? defaultPatienceMs),
    };
    waiting.timer.unref();
    this.#waiting.add(waiting);
  }

  #seen(plural: Plural, object: ChangedObject, gone: boolean): void {
    const name = `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
    for (const waiting of this.#waiting) {
      if (waiting.name !== name || waiting.change.resource !== plural) continue;
      if (isDone(waiting.change, object, gone)) this.#end(waiting, 'Completed');
    }
  }

  #end(waiting: Waiting, stage: 'Completed' | 'Unknown'): void {
    clearTimeout(waiting.timer);
    if (!this.#waiting.delete(waiting)) return;
    const { entry, change } = waiting;
    const outcome = stage === 'Completed' ? { outcome: { code: 200 } } : {};
    const ended = { ...entry, stage, time: this.#deps.now().toISOString(), ...outcome };
    const told = stage === 'Completed' ? this.#tell(entry, change) : Promise.resolve();
    Promise.all([this.#deps.outbox.keep(ended), told]).catch((error: unknown) =>
      this.#deps.log.error({ err: error, id: entry.id, stage }, 'the outcome of a change could not be told'),
    );
  }

  /** The Event that a call of the API makes, too. */
  async #tell({ verb, actor, object: at }: AuditEntry, change: ReviewedChange): Promise<void> {
    const { kind } = kinds[change.resource];
    const { uid = '' } = (change.object ?? change.oldObject)?.metadata ?? {};
    const { name = '', namespace } = at;
    const isPlain = verb === 'create' || verb === 'update' || verb === 'delete';
    const action = `${verb.charAt(0).toUpperCase()}${verb.slice(1)}${isPlain ? kind : ''}`;
    const ref = { name, ...(namespace === undefined ? {} : { namespace }) };
    const message = `${actor.name}: ${action} ${kind} ${name}: success`;
    await this.#deps.events.record({ kind, ref, uid }, { type: 'Normal', action, message });
  }
}

function isDone(
  { operation, object, oldObject }: ReviewedChange,
  seen: ChangedObject,
  gone: boolean,
): boolean {
  const { uid } = seen.metadata;
  if (operation === 'DELETE') return gone && uid === oldObject?.metadata.uid;
  if (gone || object === undefined) return false;
  return operation === 'CREATE' ? uid === object.metadata.uid : hasContentOf(seen, object);
}

const cannotAudit =
  'The audit log cannot be written, so nothing is deleted now; try again later. 审计日志暂不可用，请稍后重试。';

async function inTime(written: Promise<void>): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error('the audit log is slow')), logPatienceMs);
  // Written late is written all the same; only nobody waits for it.
  written.catch(() => undefined);
  await Promise.race([written, late.promise]).finally(() => clearTimeout(timer));
}
