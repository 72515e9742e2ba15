import { Readable } from 'node:stream';

/**
 * The body of one streamed request: what is written to it is sent on, and each write resolves when its bytes were handed
 * over and the chunk may be reused.
 */
export class BodyPipe {
  readonly body: Readable;
  #wake: (() => void) | undefined;
  #failed: unknown;

  constructor() {
    this.body = new Readable({
      highWaterMark: 1024 * 1024,
      read: () => {
        this.#wake?.();
        this.#wake = undefined;
      },
      destroy: (error, done) => {
        this.#failed = error ?? this.#failed;
        this.#wake?.();
        done(error);
      },
    });
    // The request that reads it reports what went wrong.
    this.body.on('error', () => undefined);
  }

  /** Copies the chunk, as the body may be read later than the caller reuses it. */
  async write(chunk: Uint8Array): Promise<void> {
    if (this.body.destroyed) throw this.#failed ?? new Error('the request ended');
    if (!this.body.push(Buffer.from(chunk))) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#failed !== undefined && this.#failed !== null) throw this.#failed;
  }

  end(): void {
    this.body.push(null);
  }

  fail(error: Error): void {
    this.body.destroy(error);
  }
}
