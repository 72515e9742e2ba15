import type { Socket } from 'node:net';
import { Failure } from '../../domain/failure.ts';
import type { ByteSink } from '../copy/content.ts';
import { ChunkedDecoder } from './chunked-decoder.ts';
import { dial, type DialTarget } from './dial.ts';
import { requestHead, type Exchange } from './exchange.ts';
import type { HttpAnswer } from './http-answer.ts';
import { OutgoingBody } from './outgoing-body.ts';
import { bodyLength, maxHeadBytes, parseResponseHead } from './response-head.ts';

/** Milliseconds that a call waits for its answer's head, and without a byte of its body. */
export interface CallTimeouts {
  readonly headersTimeoutMs: number;
  readonly idleTimeoutMs: number;
}

/** Time-outs are looked at this often at most: a timer per call costs more than the call's own work. */
const longestTickMs = 250;

const bufferBytes = 64 * 1024;

type Framing = 'none' | 'length' | 'chunked' | 'close';

interface Waiting {
  readonly exchange: Exchange;
  readonly sink: ByteSink;
  readonly resolve: (answer: HttpAnswer) => void;
  readonly reject: (error: unknown) => void;
}

/** One kept connection for short calls, one at a time. HTTP/1.1 with all its body framings. */
export class CallConnection {
  /** Whether any byte of the current answer has come. */
  answering = false;
  readonly #socket: Socket;
  readonly #timeouts: CallTimeouts;
  #waiting: Waiting | undefined;
  /** What came of a head that is not whole yet. */
  #head: Buffer | undefined;
  #answer: HttpAnswer | undefined;
  #framing: Framing = 'none';
  #remaining = 0;
  #decoder: ChunkedDecoder | undefined;
  #inFlight = 0;
  #ended = false;
  /** When the next bytes must have come, on the monotonic clock. */
  #deadline = Number.POSITIVE_INFINITY;
  readonly #ticks: NodeJS.Timeout;
  #broken = false;
  #reason: unknown;
  /** Default: the request has no body, or it went with the head. */
  #outgoing: OutgoingBody | undefined;

  private constructor(socket: Socket, timeouts: CallTimeouts) {
    this.#socket = socket;
    this.#timeouts = timeouts;
    socket.on('end', () => this.#close());
    socket.on('close', () =>
      this.destroy(new Failure('NetworkError', { detail: 'the connection was closed' })),
    );
    socket.on('error', (error) => this.destroy(error));
    socket.on('timeout', () => this.#silent());
    const { headersTimeoutMs, idleTimeoutMs } = timeouts;
    const tick = Math.min(longestTickMs, headersTimeoutMs / 4, idleTimeoutMs / 4);
    this.#ticks = setInterval(() => this.#tick(), tick).unref();
  }

  /** Everything is read into one buffer: a fresh one and an event for each answer cost a tenth of a call. */
  static async open(target: DialTarget, timeouts: CallTimeouts): Promise<CallConnection> {
    const buffer = Buffer.allocUnsafeSlow(bufferBytes);
    let connection: CallConnection | undefined;
    const socket = await dial(target, {
      onread: {
        buffer,
        callback: (length, { buffer: memory, byteOffset }) => {
          connection?.received(Buffer.from(memory, byteOffset, length));
          return true;
        },
      },
    });
    connection = new CallConnection(socket, timeouts);
    return connection;
  }

  get usable(): boolean {
    return !this.#broken && !this.#socket.destroyed;
  }

  /**
   * Sends a request and hands the answer's body to `sink`, in parts that are valid until it, or what it returns, is done.
   * Resolves with the head when all of it was taken.
   */
  run(exchange: Exchange, sink: ByteSink): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      if (this.#broken) return reject(this.#reason);
      this.#waiting = { exchange, sink, resolve, reject };
      this.answering = this.#ended = false;
      this.#answer = undefined;
      this.#expectAnswer(exchange);
      try {
        this.#send(exchange);
      } catch (error) {
        this.destroy(error);
      }
    });
  }

  /** Writes the next piece of a body whose `length` was announced; resolves when it has left the process. */
  async write(chunk: Uint8Array): Promise<void> {
    const body = this.#outgoing;
    if (body === undefined) throw this.#reason ?? new Failure('UploadFailed');
    try {
      await body.write(chunk);
    } catch (error) {
      throw this.#reason ?? error;
    }
    if (!body.isWriting && !body.isPartial) this.#allSent(body);
  }

  destroy(error: unknown): void {
    if (this.#broken) return;
    this.#broken = true;
    this.#reason = error;
    clearInterval(this.#ticks);
    this.#socket.destroy();
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }

  #send(exchange: Exchange): void {
    const head = requestHead(exchange);
    const { body, length } = exchange;
    if (length !== undefined) {
      this.#outgoing = new OutgoingBody(this.#socket, head, length);
      this.#deadline = Number.POSITIVE_INFINITY;
      this.#socket.setTimeout(this.#timeouts.idleTimeoutMs);
      return;
    }
    if (body === undefined || body.byteLength === 0) {
      this.#socket.write(head, 'latin1');
      return;
    }
    const request = Buffer.allocUnsafe(head.length + body.byteLength);
    request.write(head, 0, 'latin1');
    request.set(body, head.length);
    this.#socket.write(request);
  }

  private received(chunk: Buffer): void {
    if (this.#waiting === undefined || this.#ended)
      return this.destroy(unexpected('bytes that nobody asked for'));
    this.answering = true;
    try {
      if (this.#answer === undefined) this.#receiveHead(this.#waiting, chunk);
      else this.#receiveBody(this.#waiting, chunk);
    } catch (error) {
      this.destroy(error);
    }
  }

  #receiveHead(waiting: Waiting, chunk: Buffer): void {
    const bytes = this.#head === undefined ? chunk : Buffer.concat([this.#head, chunk]);
    const end = bytes.indexOf('\r\n\r\n');
    if (end < 0) {
      if (bytes.byteLength > maxHeadBytes) throw unexpected('a long head');
      if (/(?:^|[^\r])\n/.test(bytes.toString('latin1'))) throw unexpected('a bare line feed');
      this.#head = Buffer.from(bytes);
      return;
    }
    const answer = parseResponseHead(bytes.toString('latin1', 0, end));
    const rest = bytes.subarray(end + 4);
    this.#head = undefined;
    if (answer.status >= 100 && answer.status < 200) {
      if (rest.byteLength > 0) this.#receiveHead(waiting, rest);
      return;
    }
    if (waiting.exchange.expect?.includes(answer.status) === false) throw unexpected(`HTTP ${answer.status}`);
    this.#answer = answer;
    this.#frame(waiting.exchange, answer);
    this.#receiveBody(waiting, rest);
  }

  #frame(exchange: Exchange, answer: HttpAnswer): void {
    this.#decoder = undefined;
    this.#remaining = 0;
    const coding = answer.header('transfer-encoding');
    if (exchange.method === 'HEAD' || answer.status === 204 || answer.status === 304) this.#framing = 'none';
    else if (coding !== undefined) {
      if (coding.toLowerCase() !== 'chunked') throw unexpected('an unknown transfer coding');
      this.#framing = 'chunked';
      this.#decoder = new ChunkedDecoder();
    } else {
      const length = bodyLength(answer);
      this.#framing = length === undefined ? 'close' : 'length';
      this.#remaining = length ?? 0;
    }
  }

  #receiveBody(waiting: Waiting, chunk: Buffer): void {
    this.#expectMore();
    if (this.#framing === 'chunked') this.#decoder?.push(chunk, (part) => this.#take(waiting, part));
    else if (this.#framing === 'close') this.#take(waiting, chunk);
    else {
      if (chunk.byteLength > this.#remaining) throw unexpected('more bytes than announced');
      this.#remaining -= chunk.byteLength;
      this.#take(waiting, chunk);
    }
    const ended = this.#framing === 'chunked' ? this.#decoder?.done === true : this.#remaining === 0;
    if (ended && this.#framing !== 'close') this.#end();
  }

  #take(waiting: Waiting, part: Buffer): void {
    const pending = part.byteLength === 0 ? undefined : waiting.sink(part);
    if (pending === undefined) return;
    this.#inFlight += 1;
    this.#socket.pause();
    this.#deadline = Number.POSITIVE_INFINITY;
    pending.then(
      () => {
        this.#inFlight -= 1;
        if (this.#inFlight > 0) return;
        if (!this.#ended) this.#expectMore();
        this.#socket.resume();
        this.#settle();
      },
      (error: unknown) => this.destroy(error),
    );
  }

  #end(): void {
    this.#ended = true;
    this.#deadline = Number.POSITIVE_INFINITY;
    this.#settle();
  }

  #expectAnswer({ answerTimeoutMs }: Exchange): void {
    this.#deadline = performance.now() + (answerTimeoutMs ?? this.#timeouts.headersTimeoutMs);
  }

  /** A body that was written piece by piece has left the process; its answer may be there already. */
  #allSent(body: OutgoingBody): void {
    if (this.#waiting === undefined || this.#outgoing !== body) return;
    this.#socket.setTimeout(0);
    if (this.#answer !== undefined) return;
    this.#expectAnswer(this.#waiting.exchange);
    this.#deadline += body.drainMs();
  }

  #expectMore(): void {
    this.#deadline = performance.now() + this.#timeouts.idleTimeoutMs;
  }

  #tick(): void {
    if (performance.now() < this.#deadline) return;
    const detail = this.#answer === undefined ? 'no answer' : 'the answer stopped';
    this.destroy(new Failure('Timeout', { detail }));
  }

  /**
   * The socket's own clock, which sees the progress of a large write on a slow link. Silence while the source is slow is
   * not this side's; the next write starts the clock again.
   */
  #silent(): void {
    if (this.#outgoing?.isWriting === true) this.destroy(new Failure('Timeout', { detail: 'upload' }));
  }

  #settle(): void {
    if (!this.#ended || this.#inFlight > 0 || this.#answer === undefined) return;
    const [waiting, body] = [this.#waiting, this.#outgoing];
    this.#waiting = this.#outgoing = undefined;
    if (body !== undefined) this.#socket.setTimeout(0);
    waiting?.resolve(this.#answer);
    // An answer that came before all was sent ends the sending.
    if (body?.isPartial === true) this.destroy(new Failure('UploadFailed', { detail: 'answered too early' }));
  }

  /** The other side has nothing more to say: the end of an answer that is framed by just that, else a broken one. */
  #close(): void {
    if (this.#answer !== undefined && this.#framing === 'close' && !this.#ended) this.#end();
    if (this.#inFlight === 0)
      this.destroy(new Failure('NetworkError', { detail: 'the connection was closed' }));
  }
}

function unexpected(detail: string): Failure {
  return new Failure('UnexpectedResponse', { detail });
}
