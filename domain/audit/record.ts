import type { FailureCode } from '../failure.ts';

/** How far an action got. `Requested` is durable before anything is done; one of the others closes it. */
export type AuditStage = 'Requested' | 'Completed' | 'Failed' | 'Denied';

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

/** The image that was moved, where one was. */
export interface AuditImage {
  readonly registry: string;
  readonly repository: string;
  readonly tag?: string;
  readonly digestBefore?: string;
  readonly digestAfter?: string;
}

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
  readonly image?: AuditImage;
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
]);
