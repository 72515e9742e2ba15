import { bareMediaType } from '../image/media-types.ts';

/** A `Content-Range: bytes first-last/total`, in bytes, `last` included. */
export interface ContentRange {
  readonly first: number;
  readonly last: number;
  /** Undefined where the server wrote `*`. */
  readonly total?: number;
}

/** Whether an answer to a `Range` request may be appended to what is there. */
export type ResumeVerdict =
  | { readonly verdict: 'continue' }
  /** The body starts at the first byte: throw away what is there and take it. */
  | { readonly verdict: 'from-zero' }
  /** Nothing of this body is of use: ask again without `Range`. */
  | { readonly verdict: 'restart'; readonly reason: string };

/** The parts of an answer that decide. */
export interface RangeAnswer {
  readonly status: number;
  readonly contentRange: readonly string[];
  readonly contentType?: string;
  /** Bytes, where the answer gives its length. */
  readonly contentLength?: number;
}

/** Parses `Content-Range` (RFC 9110, 14.4); undefined for anything that is not a satisfied byte range. */
export function parseContentRange(text: string): ContentRange | undefined {
  const match = /^bytes (\d{1,16})-(\d{1,16})\/(\d{1,16}|\*)$/i.exec(text.trim());
  if (match === null) return undefined;
  const [first, last] = [Number(match[1]), Number(match[2])];
  const total = match[3] === '*' ? undefined : Number(match[3]);
  if (last < first || !Number.isSafeInteger(last)) return undefined;
  if (total !== undefined && (last >= total || !Number.isSafeInteger(total))) return undefined;
  return { first, last, ...(total === undefined ? {} : { total }) };
}

/**
 * Judges the answer to `Range: bytes=<start>-` of a blob of `size` bytes. Only an exact 206 is continued; a 200 is the
 * whole body again (containers/image, go-containerregistry and tart all had bugs here).
 */
export function judgeResume(answer: RangeAnswer, start: number, size: number): ResumeVerdict {
  const restart = (reason: string): ResumeVerdict => ({ verdict: 'restart', reason });
  if (answer.status === 200) return { verdict: 'from-zero' };
  if (answer.status === 416) return restart('the range was refused');
  if (answer.status !== 206) return restart(`status ${answer.status}`);
  if (bareMediaType(answer.contentType ?? '') === 'multipart/byteranges')
    return restart('several ranges in one body');
  const [header] = answer.contentRange;
  if (header === undefined || answer.contentRange.length > 1) return restart('not exactly one Content-Range');
  const range = parseContentRange(header);
  if (range === undefined) return restart('a Content-Range that cannot be read');
  if (range.first !== start || range.last !== size - 1) return restart('another range than was asked for');
  if (range.total !== undefined && range.total !== size) return restart('another total size');
  if (answer.contentLength !== undefined && answer.contentLength !== size - start)
    return restart('another length');
  return { verdict: 'continue' };
}

/**
 * Bytes that an upload session holds, from its `Range: 0-<last>` (OCI distribution spec, "Pushing a blob in chunks");
 * undefined where it cannot be read. `0-0` counts as empty: distribution writes it for a new session as well as for one
 * byte, and a wrong guess only costs a 416 and a new session.
 */
export function uploadedBytes(range: string | undefined): number | undefined {
  const match = /^(?:bytes=)?0-(\d{1,16})$/.exec(range?.trim() ?? '');
  const last = match === null ? undefined : Number(match[1]);
  if (last === undefined || !Number.isSafeInteger(last + 1)) return undefined;
  return last === 0 ? 0 : last + 1;
}
