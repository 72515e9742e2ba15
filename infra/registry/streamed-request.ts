import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import { Failure } from '../../domain/failure.ts';
import { HttpAnswer } from './http-answer.ts';
import type { Transport } from './transport.ts';

/** A request whose body is written piece by piece. */
export interface StreamedRequestOptions {
  readonly method: 'PUT' | 'PATCH';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Bytes of the body. */
  readonly length: number;
  readonly signal?: AbortSignal;
}

const maxAnswerBytes = 65_536;

/**
 * Writes from the caller's buffers without copying them. An answer that comes before all was sent ends the sending: the
 * connection is dropped and open writes reject.
 */
export class StreamedRequest {
  readonly length: number;
  readonly #request: ClientRequest;
  readonly #answer: Promise<HttpAnswer>;
  #settle:
    | { readonly resolve: (answer: HttpAnswer) => void; readonly reject: (error: unknown) => void }
    | undefined;
  #stopped: unknown;
  #early: HttpAnswer | undefined;
  #written = 0;
  #openWrites = new Set<(error: unknown) => void>();

  constructor(transport: Transport, options: StreamedRequestOptions) {
    this.length = options.length;
    const { url } = options;
    const { via } = transport.via(url);
    this.#answer = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.#answer.catch(() => undefined);
    this.#request = request({
      agent: transport.uploadAgent(url),
      method: options.method,
      host: url.hostname,
      port: url.port,
      path: `${via === undefined ? '' : url.origin}${url.pathname}${url.search}`,
      headers: {
        host: url.host,
        'user-agent': 'imageferry',
        ...options.headers,
        ...(via?.authorization === undefined ? {} : { 'proxy-authorization': via.authorization }),
        'content-length': options.length,
      },
    });
    this.#request.setTimeout(transport.idleTimeoutMs, () => {
      // Silence while the source is slow is not this side's; the next write starts the clock again.
      const waiting = this.#openWrites.size > 0 || this.#request.writableEnded;
      if (waiting) this.abort(new Failure('Timeout', { detail: 'upload' }));
    });
    this.#request.on('error', (error) => this.#stop(error));
    this.#request.on('response', (response) => this.#receive(response));
    this.#request.on('close', () =>
      this.#stop(new Failure('NetworkError', { detail: 'the upload was cut off' })),
    );
    this.#listen(options.signal);
  }

  get written(): number {
    return this.#written;
  }

  /** Resolves when `chunk` has left the process. */
  write(chunk: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#stopped !== undefined) return reject(this.#stopped);
      this.#written += chunk.byteLength;
      this.#openWrites.add(reject);
      this.#request.write(chunk, (error) => {
        this.#openWrites.delete(reject);
        if (error === undefined || error === null) resolve();
        else reject(this.#stopped ?? error);
      });
    });
  }

  /** Ends the body and waits for the answer. */
  finish(): Promise<HttpAnswer> {
    if (this.#stopped === undefined) this.#request.end();
    return this.#answer;
  }

  /** The answer that ended the sending early, if that is what happened. */
  get early(): HttpAnswer | undefined {
    return this.#early;
  }

  abort(reason: unknown): void {
    this.#stop(reason);
    this.#request.destroy();
  }

  #listen(signal: AbortSignal | undefined): void {
    if (signal === undefined) return;
    const abort = (): void => this.abort(new Failure('Cancelled', { cause: signal.reason }));
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    this.#request.once('close', () => signal.removeEventListener('abort', abort));
  }

  #receive(response: IncomingMessage): void {
    const chunks: Buffer[] = [];
    let size = 0;
    response.on('data', (chunk: Buffer) => {
      size += chunk.byteLength;
      if (size <= maxAnswerBytes) chunks.push(chunk);
    });
    const settle = (): void => {
      const answer = new HttpAnswer(response.statusCode ?? 0, response.headers, Buffer.concat(chunks));
      if (this.#written < this.length) this.#early = answer;
      this.#settle?.resolve(answer);
      if (this.#early === undefined) return;
      this.#stop(new Failure('UploadFailed', { detail: 'answered before all was sent' }));
      this.#request.destroy();
    };
    response.on('end', settle);
    response.on('error', settle);
  }

  #stop(error: unknown): void {
    this.#stopped ??= error;
    for (const reject of this.#openWrites) reject(this.#stopped);
    this.#openWrites.clear();
    this.#settle?.reject(this.#stopped);
  }
}
