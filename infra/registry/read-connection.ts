import type { Socket } from 'node:net';
import { Failure } from '../../domain/failure.ts';
import type { ByteSink } from '../copy/content.ts';
import { dial, type DialTarget } from './dial.ts';
import type { HttpAnswer } from './http-answer.ts';
import { ReadPace, type PaceLimits } from './read-pace.ts';
import { maxHeadBytes, parseResponseHead } from './response-head.ts';

const bufferBytes = 256 * 1024;
const bufferCount = 4;
/** Heads, and bodies not longer than this, are read into one small buffer: most connections never see more. */
const smallBytes = 16 * 1024;
/** Two writes in flight keep both sockets busy; the other buffers are for the read that goes on meanwhile. */
const maxInFlight = 2;

interface Waiting<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * One kept connection that blobs are read from. All reads go into four buffers that are used again and again: fresh
 * buffers were half of the CPU time of a copy. Speaks only the simplest HTTP/1.1: one request at a time, a body of known
 * length.
 */
export class ReadConnection {
  /** Answers that came over this connection so far. */
  answered = 0;
  readonly #socket: Socket;
  readonly #buffers: BufferRing;
  readonly #pace: ReadPace;
  #head: Buffer = Buffer.alloc(0);
  #headWaiting: Waiting<HttpAnswer> | undefined;
  #leftover: Buffer = Buffer.alloc(0);
  #sink: ByteSink | undefined;
  #bodyWaiting: Waiting<void> | undefined;
  #remaining = 0;
  #inFlight = 0;
  #broken: unknown;

  private constructor(socket: Socket, buffers: BufferRing, limits: PaceLimits) {
    this.#socket = socket;
    this.#buffers = buffers;
    this.#pace = new ReadPace(limits, (failure) => this.destroy(failure));
    socket.on('error', (error) => this.destroy(error));
    socket.on('end', () => this.destroy(new Failure('Truncated', { detail: 'the connection was closed' })));
    socket.on('close', () =>
      this.destroy(new Failure('NetworkError', { detail: 'the connection was closed' })),
    );
  }

  static async open(target: DialTarget, limits: PaceLimits): Promise<ReadConnection> {
    const buffers = new BufferRing();
    let connection: ReadConnection | undefined;
    const socket = await dial(target, {
      onread: {
        buffer: () => buffers.next(),
        callback: (length, { buffer, byteOffset }) =>
          connection?.received(Buffer.from(buffer, byteOffset, length)) ?? true,
      },
    });
    connection = new ReadConnection(socket, buffers, limits);
    return connection;
  }

  get usable(): boolean {
    return this.#broken === undefined;
  }

  /** Sends a request head and resolves with the answer's head. */
  request(head: string): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      if (this.#broken !== undefined) return reject(this.#broken);
      this.#headWaiting = { resolve, reject };
      this.#pace.waitForHead();
      this.#socket.write(head, 'latin1');
      this.#socket.resume();
    });
  }

  /** Delivers the next `length` bytes. */
  body(length: number, sink: ByteSink): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#broken !== undefined) return reject(this.#broken);
      this.#remaining = length;
      this.#sink = sink;
      this.#bodyWaiting = { resolve, reject };
      this.#pace.waitForBody();
      if (length > smallBytes) this.#buffers.grow();
      const first = this.#leftover;
      this.#leftover = Buffer.alloc(0);
      if (first.byteLength > 0) this.received(first);
      else this.#finishBody();
      if (this.#inFlight < maxInFlight) this.#socket.resume();
    });
  }

  destroy(error: unknown): void {
    if (this.#broken !== undefined) return;
    this.#broken = error;
    this.#pace.stop();
    this.#socket.destroy();
    this.#headWaiting?.reject(error);
    this.#bodyWaiting?.reject(error);
    this.#headWaiting = this.#bodyWaiting = this.#sink = undefined;
  }

  /** Takes what the socket delivered; false asks it to pause. */
  private received(chunk: Buffer): boolean {
    if (this.#broken !== undefined) return false;
    this.#pace.saw(chunk.byteLength);
    if (this.#headWaiting !== undefined) return this.#receiveHead(chunk);
    if (this.#sink === undefined || chunk.byteLength > this.#remaining) {
      this.destroy(new Failure('UnexpectedResponse', { detail: 'more bytes than announced' }));
      return false;
    }
    return this.#deliver(chunk, this.#sink);
  }

  #receiveHead(chunk: Buffer): boolean {
    this.#head = Buffer.concat([this.#head, chunk]);
    const end = this.#head.indexOf('\r\n\r\n');
    if (end < 0) {
      if (this.#head.byteLength > maxHeadBytes)
        this.destroy(new Failure('UnexpectedResponse', { detail: 'a long head' }));
      else if (/(?:^|[^\r])\n/.test(this.#head.toString('latin1')))
        this.destroy(new Failure('UnexpectedResponse', { detail: 'a bare line feed' }));
      return true;
    }
    try {
      const answer = parseResponseHead(this.#head.subarray(0, end).toString('latin1'));
      this.#leftover = this.#head.subarray(end + 4);
      this.#head = Buffer.alloc(0);
      if (answer.status >= 100 && answer.status < 200) return this.#receiveHead(this.#takeLeftover());
      this.answered += 1;
      this.#pace.rest();
      const waiting = this.#headWaiting;
      this.#headWaiting = undefined;
      waiting?.resolve(answer);
    } catch (error) {
      this.destroy(error);
    }
    return false;
  }

  #takeLeftover(): Buffer {
    const bytes = this.#leftover;
    this.#leftover = Buffer.alloc(0);
    return bytes;
  }

  #deliver(chunk: Buffer, sink: ByteSink): boolean {
    this.#remaining -= chunk.byteLength;
    let pending: Promise<void> | undefined;
    try {
      pending = sink(chunk);
    } catch (error) {
      this.destroy(error);
      return false;
    }
    if (pending === undefined) return this.#finishBody();
    this.#inFlight += 1;
    this.#buffers.hold(chunk);
    pending.then(
      () => this.#settled(chunk),
      (error: unknown) => this.destroy(error),
    );
    const more = this.#remaining > 0 && this.#inFlight < maxInFlight;
    if (!more) this.#pace.rest();
    return more;
  }

  #settled(chunk: Buffer): void {
    this.#inFlight -= 1;
    this.#buffers.free(chunk);
    if (!this.#finishBody() || this.#broken !== undefined) return;
    this.#pace.waitForBody();
    this.#socket.resume();
  }

  /** Ends the body where all of it was delivered and taken; true where more is to come. */
  #finishBody(): boolean {
    if (this.#remaining > 0) return true;
    if (this.#inFlight > 0) return false;
    this.#pace.rest();
    const waiting = this.#bodyWaiting;
    this.#bodyWaiting = this.#sink = undefined;
    waiting?.resolve();
    return false;
  }
}

/** A small buffer, and four large ones once there is much to read; one that is still being written elsewhere is not handed out. */
class BufferRing {
  readonly #all: Buffer[] = [Buffer.allocUnsafeSlow(smallBytes)];
  readonly #held = new Map<ArrayBufferLike, number>();

  grow(): void {
    if (this.#all.length === bufferCount) return;
    this.#all.splice(0, 1, ...Array.from({ length: bufferCount }, () => Buffer.allocUnsafeSlow(bufferBytes)));
  }

  next(): Buffer {
    const free = this.#all.find((buffer) => !this.#held.has(buffer.buffer));
    if (free === undefined) return Buffer.allocUnsafeSlow(this.#all.length === 1 ? smallBytes : bufferBytes);
    // The one handed out goes to the end, so that the one just delivered is not the next to be filled.
    this.#all.push(...this.#all.splice(this.#all.indexOf(free), 1));
    return free;
  }

  hold(chunk: Buffer): void {
    this.#held.set(chunk.buffer, (this.#held.get(chunk.buffer) ?? 0) + 1);
  }

  free(chunk: Buffer): void {
    const count = (this.#held.get(chunk.buffer) ?? 1) - 1;
    if (count === 0) this.#held.delete(chunk.buffer);
    else this.#held.set(chunk.buffer, count);
  }
}
