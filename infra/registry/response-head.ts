import { Failure } from '../../domain/failure.ts';
import { HttpAnswer } from './http-answer.ts';

/** The longest head of an answer that is read, in bytes. */
export const maxHeadBytes = 65_536;

const statusLine = /^HTTP\/1\.[01] (\d{3})(?: [^\r\n]*)?$/;
const lineBreak = /[\r\n]/;
const headerName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Names as they came, and in lower case: registries send the same few again and again. */
const knownNames = new Map<string, string>();
const maxKnownNames = 100;

/**
 * Parses an HTTP/1 answer's head, without its final empty line. Strict: a bare line feed, a folded line or two different
 * lengths are `UnexpectedResponse`.
 */
export function parseResponseHead(text: string): HttpAnswer {
  const lines = text.split('\r\n');
  const status = statusLine.exec(lines[0] ?? '')?.[1];
  if (status === undefined) throw new Failure('UnexpectedResponse', { detail: 'not an HTTP answer' });
  const headers: Record<string, string[]> = Object.create(null) as Record<string, string[]>;
  for (let at = 1; at < lines.length; at += 1) {
    const line = lines[at] ?? '';
    const colon = line.indexOf(':');
    const name = colon < 0 ? undefined : lowerCaseName(line.slice(0, colon));
    const value = line.slice(colon + 1);
    if (name === undefined || lineBreak.test(value))
      throw new Failure('UnexpectedResponse', { detail: 'a malformed header' });
    (headers[name] ??= []).push(trimmed(value));
  }
  return new HttpAnswer(Number(status), headers);
}

/** Undefined for what is no header name. */
function lowerCaseName(name: string): string | undefined {
  const known = knownNames.get(name);
  if (known !== undefined) return known;
  if (!headerName.test(name)) return undefined;
  if (knownNames.size >= maxKnownNames) knownNames.clear();
  const lower = name.toLowerCase();
  knownNames.set(name, lower);
  return lower;
}

/** Without the spaces and tabs around it, and only those. */
function trimmed(value: string): string {
  let [start, end] = [0, value.length];
  while (start < end && isBlank(value.charCodeAt(start))) start += 1;
  while (end > start && isBlank(value.charCodeAt(end - 1))) end -= 1;
  return value.slice(start, end);
}

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09;

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
