import { Failure } from '../../domain/failure.ts';
import type { WebAddress } from '../../domain/registry/origin.ts';
import type { CallConnection } from './call-connection.ts';
import type { HttpAnswer } from './http-answer.ts';
import type { Transport } from './transport.ts';

/** A request whose body is written piece by piece. */
export interface StreamedRequestOptions {
  readonly method: 'PUT' | 'PATCH';
  readonly url: WebAddress;
  readonly headers: Readonly<Record<string, string>>;
  /** Bytes of the body. */
  readonly length: number;
  /** Milliseconds from the last byte of the body to the answer. Default: the connection's own time-out. */
  readonly answerTimeoutMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * Writes from the caller's buffers without copying them. An answer that comes before all was sent ends the sending: the
 * connection is dropped and open writes reject.
 */
export class StreamedRequest {
  readonly length: number;
  readonly #connection: CallConnection;
  readonly #answer: Promise<HttpAnswer>;
  #stopped: unknown;
  #early: HttpAnswer | undefined;
  #isAnswered = false;
  #written = 0;
  #openWrites = new Set<(error: unknown) => void>();

  private constructor(length: number, connection: CallConnection, answer: Promise<HttpAnswer>) {
    this.length = length;
    this.#connection = connection;
    this.#answer = answer;
    answer.then(
      (early) => {
        this.#isAnswered = true;
        if (this.#written === this.length) return;
        this.#early = early;
        this.#stop(new Failure('UploadFailed', { detail: 'answered before all was sent' }));
      },
      (error: unknown) => this.#stop(error),
    );
  }

  static async open(transport: Transport, options: StreamedRequestOptions): Promise<StreamedRequest> {
    const headers = { 'user-agent': 'imageferry', ...options.headers };
    const { connection, answer } = await transport.open({ ...options, headers });
    return new StreamedRequest(options.length, connection, answer);
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
      this.#connection.write(chunk).then(
        () => {
          this.#openWrites.delete(reject);
          resolve();
        },
        // The answer may say why; it comes or fails at once, as the connection is gone.
        (error: unknown) =>
          void this.#answer.catch(() => undefined).then(() => reject(this.#stopped ?? error)),
      );
    });
  }

  /** Waits for the answer; all was written. */
  finish(): Promise<HttpAnswer> {
    return this.#answer;
  }

  /** The answer that ended the sending early, if that is what happened. */
  get early(): HttpAnswer | undefined {
    return this.#early;
  }

  abort(reason: unknown): void {
    this.#stop(reason);
    // With the answer, the connection may be somebody else's already.
    if (!this.#isAnswered) this.#connection.destroy(reason);
  }

  #stop(error: unknown): void {
    this.#stopped ??= error;
    for (const reject of this.#openWrites) reject(this.#stopped);
    this.#openWrites.clear();
  }
}
