import { describeFailure, type Failure, type FailureCode } from '../failure.ts';

/** The language of words for people. */
export type Language = 'en' | 'zh';

/** What a Status is about. */
export interface StatusSubject {
  readonly name?: string;
  readonly kind?: string;
}

/** The answer to a call that failed: Kubernetes' `Status`, so that kubectl-like clients understand it. */
export interface Status {
  readonly apiVersion: 'v1';
  readonly kind: 'Status';
  readonly metadata: Readonly<Record<string, never>>;
  readonly status: 'Failure';
  readonly message: string;
  readonly reason: string;
  readonly details: {
    readonly name: string;
    readonly kind: string;
    /** Code of the closed list; never changes, whatever the language. */
    readonly code: FailureCode;
    /** The message in both languages. */
    readonly messages: { readonly en: string; readonly zh: string };
    /** Seconds after which another try makes sense. */
    readonly retryAfterSeconds?: number;
    readonly requestId?: string;
  };
  readonly code: number;
}

/** Reasons that Kubernetes has its own word for (apimachinery, `StatusReason`); all others are our codes. */
const kubernetesReasons: Partial<Readonly<Record<FailureCode, string>>> = {
  InvalidRequest: 'BadRequest',
  Unauthenticated: 'Unauthorized',
  AccessDenied: 'Forbidden',
  PayloadTooLarge: 'RequestEntityTooLarge',
  UnsupportedContentType: 'UnsupportedMediaType',
  Internal: 'InternalError',
  Timeout: 'Timeout',
};

/**
 * The HTTP status of a failure. A registry's or a site's refusal is not the caller's: it is 502, so that a client never
 * takes a wrong registry password for a wrong token of its own.
 */
export function httpStatus(failure: Failure): number {
  const status = failure.entry.status;
  const foreign = failure.side === 'source' || failure.side === 'destination';
  return foreign && (status === 401 || status === 403) ? 502 : status;
}

/** The `Status` that tells of a failure. */
export function failureStatus(
  failure: Failure,
  options: { readonly language: Language; readonly about?: StatusSubject; readonly requestId?: string },
): Status {
  const details = {
    ...(failure.subject === undefined ? {} : { subject: failure.subject }),
    ...(failure.detail === undefined ? {} : { detail: failure.detail }),
  };
  const messages = {
    en: describeFailure(failure.code, details, 'en'),
    zh: describeFailure(failure.code, details, 'zh'),
  };
  const seconds = retryAfterSeconds(failure);
  return {
    apiVersion: 'v1',
    kind: 'Status',
    metadata: {},
    status: 'Failure',
    message: messages[options.language],
    reason: kubernetesReasons[failure.code] ?? failure.code,
    details: {
      name: options.about?.name ?? '',
      kind: options.about?.kind ?? '',
      code: failure.code,
      messages,
      ...(seconds === undefined ? {} : { retryAfterSeconds: seconds }),
      ...(options.requestId === undefined ? {} : { requestId: options.requestId }),
    },
    code: httpStatus(failure),
  };
}

/** Whole seconds until another try makes sense; undefined where it does not. Default for a failure that may pass: 1. */
export function retryAfterSeconds(failure: Failure): number | undefined {
  if (!failure.retryable) return undefined;
  return failure.retryAfterMs === undefined ? 1 : Math.max(1, Math.ceil(failure.retryAfterMs / 1000));
}

/** The language a caller reads: Chinese where `Accept-Language` ranks it before English, else English. */
export function preferredLanguage(header: string | undefined): Language {
  const ranked = (header ?? '')
    .slice(0, 200)
    .split(',')
    .map((part, index) => {
      const [tag = '', ...parameters] = part.trim().toLowerCase().split(';');
      const quality = parameters.map((one) => /^\s*q=([01](?:\.\d{1,3})?)\s*$/.exec(one)?.[1]).find(Boolean);
      return { tag: tag.trim(), quality: quality === undefined ? 1 : Number(quality), index };
    })
    .filter(({ tag, quality }) => quality > 0 && /^(?:zh|en)(?:-|$)/.test(tag))
    .sort((a, b) => b.quality - a.quality || a.index - b.index);
  return ranked[0]?.tag.startsWith('zh') === true ? 'zh' : 'en';
}
