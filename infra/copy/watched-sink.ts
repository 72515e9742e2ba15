import type { ByteSink } from './content.ts';

/** Tells a reader that broke from a sink that did not want the bytes. */
export class WatchedSink {
  /** Bytes that were handed to the sink. */
  taken = 0;
  /** Whether the sink refused them. */
  refused = false;
  readonly #sink: ByteSink;

  constructor(sink: ByteSink) {
    this.#sink = sink;
  }

  take(chunk: Uint8Array): Promise<void> | undefined {
    this.taken += chunk.byteLength;
    try {
      return this.#sink(chunk)?.catch((error: unknown) => this.#refuse(error));
    } catch (error) {
      return this.#refuse(error);
    }
  }

  #refuse(error: unknown): never {
    this.refused = true;
    throw error;
  }
}
