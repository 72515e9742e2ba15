import { Readable } from 'node:stream';

/** The SDK's request, as far as it is known here. */
type OpenRequest = NodeJS.WritableStream & { destroy?(reason: Error): unknown };

/**
 * The body of one streamed request. What is written to it goes on as it is, without a copy: a write resolves when its bytes
 * have left the process, and the chunk may be reused.
 */
export class BodyPipe {
  readonly body: Readable;
  readonly #request: Promise<OpenRequest>;
  #failed: Error | undefined;

  constructor() {
    const { promise, resolve, reject } = Promise.withResolvers<OpenRequest>();
    this.#request = promise;
    this.body = new FedBody(resolve);
    // Whoever sends the request reports what went wrong with it.
    this.body.on('error', (error) => reject(error));
    promise.catch(() => undefined);
  }

  async write(chunk: Uint8Array): Promise<void> {
    const request = await this.#request;
    await new Promise<void>((resolve, reject) => {
      if (this.#failed !== undefined) return reject(this.#failed);
      request.write(chunk, (error) => (error === undefined || error === null ? resolve() : reject(error)));
    });
  }

  async end(): Promise<void> {
    (await this.#request).end();
  }

  fail(reason: Error): void {
    this.#failed ??= reason;
    this.body.destroy(reason);
    this.#request.then(
      (request) => request.destroy?.(reason),
      () => undefined,
    );
  }
}

/** What the SDK takes for a stream and pipes into its request: from then on the request itself is written to. */
class FedBody extends Readable {
  readonly #piped: (request: OpenRequest) => void;

  constructor(piped: (request: OpenRequest) => void) {
    super();
    this.#piped = piped;
  }

  override pipe<T extends NodeJS.WritableStream>(request: T): T {
    this.#piped(request);
    return request;
  }

  override _read(): void {
    // Nobody reads it: it is only ever piped.
  }
}
