import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { TraceEntry } from './trace.ts';

/** A whole answer. Headers are sent as given. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: Uint8Array | string;
}

/** One request on its way through a double: a script may answer it instead of the double, or change the answer. */
export class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly method: string;
  readonly trace: TraceEntry;
  readonly #respond: (exchange: Exchange) => Promise<Answer>;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    trace: TraceEntry,
    respond: (exchange: Exchange) => Promise<Answer>,
  ) {
    this.request = request;
    this.response = response;
    this.url = new URL(request.url ?? '/', 'http://double');
    this.method = request.method ?? 'GET';
    this.trace = trace;
    this.#respond = respond;
  }

  get scheme(): 'http' | 'https' {
    return 'encrypted' in this.request.socket ? 'https' : 'http';
  }

  get socket(): Socket {
    return this.request.socket;
  }

  header(name: string): string | undefined {
    const value = this.request.headers[name.toLowerCase()];
    return Array.isArray(value) ? value.join(', ') : value;
  }

  /** What the double would answer if it behaved; its effects (a stored blob) happen. */
  honestAnswer(): Promise<Answer> {
    return this.#respond(this);
  }

  /** Reads the request body chunk by chunk; rejects where the client goes away. */
  async readBody(onChunk: (chunk: Buffer) => void): Promise<void> {
    for await (const chunk of this.request as AsyncIterable<Buffer>) {
      this.trace.requestBytes += chunk.byteLength;
      onChunk(chunk);
    }
  }

  /** The whole request body. */
  async body(): Promise<Buffer> {
    const chunks: Buffer[] = [];
    await this.readBody((chunk) => chunks.push(chunk));
    return Buffer.concat(chunks);
  }

  async send(answer: Answer): Promise<void> {
    const body =
      typeof answer.body === 'string' ? Buffer.from(answer.body) : (answer.body ?? Buffer.alloc(0));
    this.trace.status = answer.status;
    this.response.writeHead(answer.status, {
      'content-length': String(body.byteLength),
      ...flat(answer.headers),
    });
    if (this.method === 'HEAD') {
      this.response.end();
      return;
    }
    this.trace.responseBytes += body.byteLength;
    await new Promise<void>((resolve) => {
      this.response.once('close', resolve);
      this.response.end(body, resolve);
    });
  }

  /** Writes bytes straight to the socket, past every rule of HTTP, and ends it unless told to stay. */
  raw(text: string | Uint8Array, options: { readonly end?: boolean } = {}): void {
    this.trace.status = this.trace.status === 0 ? 1 : this.trace.status;
    this.trace.responseBytes += typeof text === 'string' ? 0 : text.byteLength;
    if (options.end === false) this.socket.write(text);
    else this.socket.end(text);
  }

  /** A TCP reset, without a word. */
  reset(): void {
    this.socket.resetAndDestroy();
  }
}

function flat(headers: Answer['headers']): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(headers ?? {}).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : [...value],
    ]),
  );
}
