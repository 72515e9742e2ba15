import { Failure } from '../../domain/failure.ts';
import type { FailureCode } from '../../domain/failure-catalogue.ts';
import type { WebAddress } from '../../domain/registry/origin.ts';
import type { Proxy } from '../../domain/registry/proxy.ts';

/** One short request: its answer is read whole, up to a limit. */
export interface Exchange {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: WebAddress;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Bytes of a body that is written piece by piece after the head. Default: it is `body`. */
  readonly length?: number;
  /** Bytes of the answer's body that are read. Default: 1 MiB. */
  readonly maxBytes?: number;
  /** What a longer answer is called. Default: `UnexpectedResponse`. */
  readonly tooLong?: FailureCode;
  /** Statuses whose body is wanted; any other is `UnexpectedResponse`. Default: all. */
  readonly expect?: readonly number[];
  /** True where it must not be sent again, not even when a kept connection was closed under it. Default: false. */
  readonly once?: boolean;
  /** Milliseconds from the last byte of the request to the head of its answer. Default: the connection's own time-out. */
  readonly answerTimeoutMs?: number;
  readonly signal?: AbortSignal;
  /** The proxy that gets the request, which then names the whole address. Default: the host itself does. */
  readonly via?: Proxy;
}

// eslint-disable-next-line no-control-regex -- a line break would start another header
const control = /[\u0000-\u001f\u007f]/;

/** The head of an HTTP/1.1 request, with its length where one has to be told. */
export function requestHead(
  exchange: Pick<Exchange, 'method' | 'url' | 'headers' | 'body' | 'length' | 'via'>,
): string {
  const { method, url, headers, body, length = body?.byteLength ?? 0, via } = exchange;
  const target = `${via === undefined ? '' : url.origin}${url.pathname}${url.search}`;
  let head = `${method} ${target} HTTP/1.1\r\nhost: ${url.host}\r\n`;
  for (const [name, value] of Object.entries(headers)) {
    if (control.test(value)) throw new Failure('UnexpectedResponse', { detail: `header ${name}` });
    if (name !== 'content-length') head += `${name}: ${value}\r\n`;
  }
  if (via?.authorization !== undefined) head += `proxy-authorization: ${via.authorization}\r\n`;
  const mayHaveBody = method === 'POST' || method === 'PUT' || method === 'PATCH';
  return `${head}${mayHaveBody ? `content-length: ${length}\r\n` : ''}\r\n`;
}
