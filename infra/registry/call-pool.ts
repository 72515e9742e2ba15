import { Failure } from '../../domain/failure.ts';
import type { ByteSink } from '../copy/content.ts';
import { CallConnection, type CallTimeouts } from './call-connection.ts';
import type { DialTarget } from './dial.ts';
import type { Exchange } from './exchange.ts';
import { HttpAnswer } from './http-answer.ts';
import { IdleConnections } from './idle-connections.ts';

const maxIdle = 32;

/** Connections for short calls to one origin, kept for the next one. */
export class CallPool {
  readonly #target: DialTarget;
  readonly #timeouts: CallTimeouts;
  readonly #idle = new IdleConnections<CallConnection>(maxIdle);
  /** Connections that are at work for a signal: one listener for all of them. */
  readonly #working = new WeakMap<AbortSignal, Set<CallConnection>>();

  constructor(target: DialTarget, timeouts: CallTimeouts) {
    this.#target = target;
    this.#timeouts = timeouts;
  }

  /** Sends a request and reads the whole answer. Rejects with the network's error, unmapped. */
  exchange(exchange: Exchange): Promise<HttpAnswer> {
    return this.#whole(exchange, (sink) => this.stream(exchange, sink));
  }

  async #whole(exchange: Exchange, run: (sink: ByteSink) => Promise<HttpAnswer>): Promise<HttpAnswer> {
    const parts: Uint8Array[] = [];
    let size = 0;
    const head = await run((part) => {
      size += part.byteLength;
      if (size > (exchange.maxBytes ?? 1_048_576)) {
        throw new Failure(exchange.tooLong ?? 'UnexpectedResponse', { detail: 'the answer is too long' });
      }
      parts.push(Buffer.from(part));
      return undefined;
    });
    const [only] = parts;
    const body = parts.length === 1 && only !== undefined ? only : Buffer.concat(parts);
    return new HttpAnswer(head.status, head.headers, body);
  }

  /** The same, with the body handed on as it comes. */
  async stream(exchange: Exchange, sink: ByteSink): Promise<HttpAnswer> {
    const kept = this.#idle.take();
    if (kept !== undefined) {
      try {
        return await this.#run(kept, exchange, sink);
      } catch (error) {
        // Closed at the other end while it was kept: once more, at once, on a new one.
        const timedOut = error instanceof Failure && error.code === 'Timeout';
        if (kept.answering || timedOut || exchange.signal?.aborted === true) throw error;
        if (exchange.once === true) {
          // The next try is the caller's, and the others were kept as long.
          this.close();
          throw error;
        }
      }
    }
    return this.#run(await CallConnection.open(this.#target, this.#timeouts), exchange, sink);
  }

  /** Sends the head of a request whose body its caller writes to `connection`; `answer` comes when that is done, or before. */
  async open(
    exchange: Exchange,
  ): Promise<{ readonly connection: CallConnection; readonly answer: Promise<HttpAnswer> }> {
    const connection = this.#idle.take() ?? (await CallConnection.open(this.#target, this.#timeouts));
    return { connection, answer: this.#whole(exchange, (sink) => this.#run(connection, exchange, sink)) };
  }

  /** Drops the connections that are kept. */
  close(): void {
    this.#idle.close();
  }

  async #run(connection: CallConnection, exchange: Exchange, sink: ByteSink): Promise<HttpAnswer> {
    const { signal } = exchange;
    const working = signal === undefined ? undefined : this.#workingFor(signal);
    working?.add(connection);
    try {
      if (signal?.aborted === true) connection.destroy(new Failure('Cancelled', { cause: signal.reason }));
      const answer = await connection.run(exchange, sink);
      const closing = answer.header('connection')?.toLowerCase() === 'close';
      if (closing) connection.destroy(new Failure('Cancelled'));
      else this.#idle.keep(connection);
      return answer;
    } finally {
      working?.delete(connection);
    }
  }

  #workingFor(signal: AbortSignal): Set<CallConnection> {
    const known = this.#working.get(signal);
    if (known !== undefined) return known;
    const working = new Set<CallConnection>();
    this.#working.set(signal, working);
    const abort = (): void => {
      for (const connection of working)
        connection.destroy(new Failure('Cancelled', { cause: signal.reason }));
    };
    signal.addEventListener('abort', abort, { once: true });
    return working;
  }
}
