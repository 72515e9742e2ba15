import { Failure } from '../../domain/failure.ts';
import { HttpAnswer } from './http-answer.ts';

/** The longest head of an answer that is read, in bytes. */
export const maxHeadBytes = 65_536;

const statusLine = /^HTTP\/1\.[01] (\d{3})(?: [^\r\n]*)?$/;
const headerLine = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/;

/**
 * Parses an HTTP/1 answer's head, without its final empty line. Strict: a bare line feed, a folded line or two different
 * lengths are `UnexpectedResponse`.
 */
export function parseResponseHead(text: string): HttpAnswer {
  const [first = '', ...lines] = text.split('\r\n');
  const status = statusLine.exec(first)?.[1];
  if (status === undefined) throw new Failure('UnexpectedResponse', { detail: 'not an HTTP answer' });
  const headers: Record<string, string[]> = Object.create(null) as Record<string, string[]>;
  for (const line of lines) {
    const match = headerLine.exec(line);
    if (match === null || line.includes('\n'))
      throw new Failure('UnexpectedResponse', { detail: 'a malformed header' });
    (headers[(match[1] ?? '').toLowerCase()] ??= []).push(match[2] ?? '');
  }
  return new HttpAnswer(Number(status), headers);
}

/**
 * Bytes that follow an answer's head; undefined where it does not say (chunked, or until the connection closes).
 * Throws `UnexpectedResponse` for a length that cannot be trusted.
 */
export function bodyLength(head: HttpAnswer): number | undefined {
  if (head.header('transfer-encoding') !== undefined) return undefined;
  const [length, ...more] = head.all('content-length');
  if (length === undefined) return undefined;
  const value = /^\d{1,16}$/.test(length) ? Number(length) : Number.NaN;
  if (!Number.isSafeInteger(value) || more.some((other) => other !== length)) {
    throw new Failure('UnexpectedResponse', { detail: 'Content-Length cannot be read' });
  }
  return value;
}
