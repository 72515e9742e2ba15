import {
  describeFailure,
  isFailureCode,
  type Failure,
  type FailureCode,
  type FailureDetails,
  type FailureSide,
} from '../failure.ts';
import { failureCatalogue } from '../failure-catalogue.ts';
import { redact } from './redact.ts';

/** A failure as it travels through a workflow history: facts, no stack, no cause, no secret. */
export interface FailureFacts {
  readonly code: FailureCode;
  readonly side?: FailureSide;
  readonly subject?: string;
  readonly detail?: string;
  /** Milliseconds that the other side asked us to wait. */
  readonly retryAfterMs?: number;
}

const sides: ReadonlySet<unknown> = new Set<FailureSide>([
  'source',
  'destination',
  'cluster',
  'storage',
  'caller',
]);
const isSide = (value: unknown): value is FailureSide => sides.has(value);

/** The facts of a failure, with what looks like a secret taken out (fault N12). */
export function factsOf(failure: Failure): FailureFacts {
  return facts(failure.code, {
    ...(failure.side === undefined ? {} : { side: failure.side }),
    ...(failure.subject === undefined ? {} : { subject: short(failure.subject) }),
    ...(failure.detail === undefined ? {} : { detail: short(failure.detail) }),
    ...(failure.retryAfterMs === undefined ? {} : { retryAfterMs: failure.retryAfterMs }),
  });
}

/** A history holds many of them, so that none may be long (fault N06). */
const maxTextLength = 300;
const short = (text: string): string => redact(text).slice(0, maxTextLength);

/** Facts from a code and what else is known. */
export function facts(code: FailureCode, details: Omit<FailureDetails, 'cause'> = {}): FailureFacts {
  return { code, ...details };
}

/** Reads what {@link factsOf} wrote, out of a history that may be older than this code; undefined for anything else. */
export function parseFacts(value: unknown): FailureFacts | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const record: Readonly<Record<string, unknown>> = { ...value };
  const { code, side, subject, detail, retryAfterMs } = record;
  if (typeof code !== 'string' || !isFailureCode(code)) return undefined;
  return facts(code, {
    ...(isSide(side) ? { side } : {}),
    ...(typeof subject === 'string' ? { subject } : {}),
    ...(typeof detail === 'string' ? { detail } : {}),
    ...(typeof retryAfterMs === 'number' ? { retryAfterMs } : {}),
  });
}

/** Whether trying again unchanged may help. */
export const retryable = (failure: FailureFacts): boolean => failureCatalogue[failure.code].class === 'retry';

/** The failure for people, Chinese after English: conditions and Events have one message for all readers. */
export function explain(failure: FailureFacts): string {
  return `${describeFailure(failure.code, failure, 'en')} / ${describeFailure(failure.code, {}, 'zh')}`;
}
