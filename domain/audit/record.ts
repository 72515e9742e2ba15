import type { FailureCode } from '../failure.ts';

/**
 * How far an action got. `Requested` is durable before anything is done; `Started` tells before its effect what a step of
 * it is about to change; one of the others closes it, `Unknown` where a process died before it could tell.
 */
export const auditStages = ['Requested', 'Started', 'Completed', 'Failed', 'Denied', 'Unknown'] as const;
export type AuditStage = (typeof auditStages)[number];

/** Who acted. Groups are left out on purpose: they are looked up by name and would fill the log. */
export interface AuditActor {
  readonly name: string;
  readonly uid: string;
}

/** What was acted on. */
export interface AuditObject {
  readonly resource: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
}

/** What an action does to one tag at one place. */
export interface AuditImage {
  /** Default: no site, but a registry or the bundles' pool. */
  readonly site?: string;
  readonly repository: string;
  readonly tag?: string;
  /** What the tag showed before. Default: nothing. */
  readonly digestBefore?: string;
  /** What it shows, or in an intent will show, after. Default: nothing. */
  readonly digestAfter?: string;
  /** Why it did not come to that. */
  readonly reason?: FailureCode;
}

/** Images that one record names at most: with more, the first of them, and `more` says how many were left out. */
export const auditedImages = 500;

/**
 * One fact for the audit log. Only these fields exist: no header, body, query or error text is ever kept, so no
 * credential can be (faults.md, 4.2).
 */
export interface AuditEntry {
  /** The same for an intent and its outcome. */
  readonly id: string;
  readonly stage: AuditStage;
  /** RFC 3339 UTC with milliseconds. */
  readonly time: string;
  readonly verb: string;
  readonly actor: AuditActor;
  /** Address at the other end of the connection, or the process that acted by itself. */
  readonly source: string;
  /** At most 256 characters. */
  readonly userAgent?: string;
  readonly object: AuditObject;
  /** At most {@link auditedImages}. */
  readonly images?: readonly AuditImage[];
  /** Images beyond those. */
  readonly more?: number;
  /** What made a workflow do it, such as `schedule` or `manual`. */
  readonly trigger?: string;
  /** Who asked for what a process did in its own name. */
  readonly onBehalfOf?: string;
  /** Tells apart several records of one stage of one action. */
  readonly step?: string;
  /** The run that did it; the same in the record of the call that started it. */
  readonly workflow?: { readonly id: string; readonly runId: string };
  readonly outcome?: { readonly code: number; readonly reason?: FailureCode };
  /** How many like it were left out since the last one, where refusals came too fast (fault Q10). */
  readonly repeated?: number;
}

/** An entry in its place in a stream. */
export interface AuditRecord extends AuditEntry {
  readonly stream: string;
  /** From 1, without gaps. */
  readonly seq: number;
  /** Hash of the record before; {@link firstPrevious} for the first. */
  readonly prev: string;
  /** SHA-256, in hex, of the canonical JSON of all other fields. */
  readonly hash: string;
}

/** What the first record of a stream has before it. */
export const firstPrevious = '0'.repeat(64);

/** Verbs that destroy or overwrite: they are refused where their intent cannot be written (fault Q05). */
export const destructiveVerbs: ReadonlySet<string> = new Set([
  'delete',
  'rollback',
  'cleanup',
  'import',
  'batch',
  'park',
  'prune',
  'collect',
]);

/** Puts images into an entry, bounded. */
export function imagesOf(images: readonly AuditImage[]): Pick<AuditEntry, 'images' | 'more'> {
  if (images.length === 0) return {};
  const more = images.length - auditedImages;
  return { images: images.slice(0, auditedImages), ...(more > 0 ? { more } : {}) };
}

/** What makes two entries the same fact told twice, as a step that is tried again would. */
export const factKey = ({ id, stage, step = '' }: Pick<AuditEntry, 'id' | 'stage' | 'step'>): string =>
  JSON.stringify([id, stage, step]);
