import { failureCatalogue, type FailureCode, type FailureEntry } from './failure-catalogue.ts';

export type { FailureCode, FailureEntry } from './failure-catalogue.ts';

/** Who is to blame: the registry we read from, the one we write to, the cluster, the bundle store, or the caller. */
export type FailureSide = 'source' | 'destination' | 'cluster' | 'storage' | 'caller';

/** What a {@link Failure} may carry besides its code. Never put a credential, token, header or URL query in here. */
export interface FailureDetails {
  readonly side?: FailureSide;
  /** What was being handled, such as `edge.example/a/b:v1` or a digest. Default: none. */
  readonly subject?: string;
  /** One more fact in plain English, such as the HTTP status. Default: none. */
  readonly detail?: string;
  /** Milliseconds that the other side asked us to wait before the next try. Default: the caller's own back-off. */
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

/**
 * The only error type that crosses a room's border. Its code comes from one closed list, so that conditions, Events,
 * API answers and Temporal histories speak the same words.
 */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly code: FailureCode;
  readonly side: FailureSide | undefined;
  readonly subject: string | undefined;
  readonly detail: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(code: FailureCode, details: FailureDetails = {}) {
    super(describeFailure(code, details, 'en'), { cause: details.cause });
    this.code = code;
    this.side = details.side;
    this.subject = details.subject;
    this.detail = details.detail;
    this.retryAfterMs = details.retryAfterMs;
  }

  /** The catalogue's entry: class, HTTP status and words. */
  get entry(): FailureEntry {
    return failureCatalogue[this.code];
  }

  /** True where trying again unchanged may succeed. */
  get retryable(): boolean {
    return this.entry.class === 'retry';
  }
}

/** The failure in one sentence for people, in English or Chinese. */
export function describeFailure(code: FailureCode, details: FailureDetails, language: 'en' | 'zh'): string {
  const entry = failureCatalogue[code];
  const words = language === 'en' ? entry.en : entry.zh;
  const extras = [details.subject, details.detail].filter((part) => part !== undefined && part !== '');
  if (extras.length === 0) return words;
  return language === 'en' ? `${words} (${extras.join('; ')})` : `${words}（${extras.join('；')}）`;
}

/** Narrows an unknown error to a {@link Failure}; anything else becomes `Internal` with its message kept out of sight. */
export function asFailure(error: unknown): Failure {
  return error instanceof Failure ? error : new Failure('Internal', { cause: error });
}

/** True for a word of the closed list; for codes that come back from a workflow history or a status. */
export function isFailureCode(text: string): text is FailureCode {
  return Object.hasOwn(failureCatalogue, text);
}
