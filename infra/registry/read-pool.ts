import { Failure } from '../../domain/failure.ts';
import type { WebAddress } from '../../domain/registry/origin.ts';
import { requestHead } from './exchange.ts';
import type { HttpAnswer } from './http-answer.ts';
import { IdleConnections } from './idle-connections.ts';
import { ReadConnection } from './read-connection.ts';
import { ReadPace, type PaceLimits } from './read-pace.ts';
import { bodyLength } from './response-head.ts';
import type { Transport } from './transport.ts';

const maxIdlePerOrigin = 8;
/** Error bodies up to this size are read, so that the connection can be kept and the error code be known. */
const maxErrorBytes = 65_536;

/** An answer whose body is still to be read, and the connection it comes over. */
export interface OpenRead {
  readonly answer: HttpAnswer;
  readonly connection: ReadConnection;
  /** Undefined where the answer does not tell. */
  readonly length: number | undefined;
}

/** Connections for reading blobs, kept for the next blob of the same origin. */
export class ReadPool {
  readonly #transport: Transport;
  readonly #limits: PaceLimits;
  readonly #idle = new Map<string, IdleConnections<ReadConnection>>();

  constructor(transport: Transport, limits: PaceLimits) {
    this.#transport = transport;
    this.#limits = limits;
  }

  /** Sends a GET and resolves with the head of the answer; on a kept connection that turns out closed, once more. */
  async get(
    url: WebAddress,
    headers: Readonly<Record<string, string>>,
    signal?: AbortSignal,
  ): Promise<OpenRead> {
    const kept = this.#idle.get(url.origin)?.take();
    if (kept !== undefined) {
      try {
        return await this.#send(kept, url, headers, signal);
      } catch (error) {
        if (signal?.aborted === true || !wentStale(error)) throw error;
      }
    }
    const fresh = await ReadConnection.open(this.#transport.target(url), this.#limits);
    return this.#send(fresh, url, headers, signal);
  }

  /** Hands a connection back after its body was read to the end. */
  release(url: WebAddress, open: OpenRead): void {
    const closing = open.answer.header('connection')?.toLowerCase() === 'close';
    if (closing) return open.connection.destroy(new Failure('Cancelled'));
    const idle = this.#idle.get(url.origin) ?? new IdleConnections(maxIdlePerOrigin);
    this.#idle.set(url.origin, idle);
    idle.keep(open.connection);
  }

  /** Reads a short body, of an error, and hands the connection back; a long one costs the connection. */
  async drain(url: WebAddress, open: OpenRead): Promise<Uint8Array> {
    if (open.length === undefined || open.length > maxErrorBytes) {
      open.connection.destroy(new Failure('Cancelled'));
      return new Uint8Array();
    }
    const chunks: Buffer[] = [];
    await open.connection.body(open.length, (chunk) => {
      chunks.push(Buffer.from(chunk));
      return undefined;
    });
    this.release(url, open);
    return Buffer.concat(chunks);
  }

  /** Watches a body that comes another way, by the same limits. */
  pace(giveUp: (failure: Failure) => void): ReadPace {
    return new ReadPace(this.#limits, giveUp);
  }

  close(): void {
    for (const idle of this.#idle.values()) idle.close();
    this.#idle.clear();
  }

  async #send(
    connection: ReadConnection,
    url: WebAddress,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal | undefined,
  ): Promise<OpenRead> {
    const abort = (): void => connection.destroy(new Failure('Cancelled', { cause: signal?.reason }));
    if (signal?.aborted === true) abort();
    signal?.addEventListener('abort', abort, { once: true });
    try {
      const answer = await connection.request(
        requestHead({ method: 'GET', url, headers, ...this.#transport.via(url) }),
      );
      return { answer, connection, length: bodyLength(answer) };
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }
}

function wentStale(error: unknown): boolean {
  if (error instanceof Failure) return error.code === 'Truncated' || error.code === 'NetworkError';
  return true;
}
