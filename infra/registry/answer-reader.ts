import { Failure } from '../../domain/failure.ts';
import type { FailureCode } from '../../domain/failure-catalogue.ts';
import type { ByteSink } from '../copy/content.ts';
import { HttpAnswer } from './http-answer.ts';

/** One short request: its answer is read whole, up to a limit. */
export interface Exchange {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Bytes of the answer's body that are read; more is `UnexpectedResponse`. Default: 1 MiB. */
  readonly maxBytes?: number;
  /** What a longer answer is called. Default: `UnexpectedResponse`. */
  readonly tooLong?: FailureCode;
  readonly signal?: AbortSignal;
}

interface Controller {
  abort(reason: Error): void;
  pause(): void;
  resume(): void;
}

/** Collects one answer from undici's callbacks. */
export class AnswerReader {
  readonly #exchange: Exchange;
  readonly #resolve: (answer: HttpAnswer) => void;
  readonly #reject: (error: unknown) => void;
  readonly #chunks: Uint8Array[] = [];
  #size = 0;
  #status = 0;
  #headers: Readonly<Record<string, string | string[] | undefined>> = {};
  #unlisten: (() => void) | undefined;

  constructor(exchange: Exchange, resolve: (answer: HttpAnswer) => void, reject: (error: unknown) => void) {
    this.#exchange = exchange;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  onRequestStart(controller: Controller): void {
    this.#unlisten = abortWith(this.#exchange.signal, controller);
  }

  onResponseStart(
    _controller: Controller,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    this.#status = status;
    this.#headers = headers;
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    this.#size += chunk.byteLength;
    if (this.#size > (this.#exchange.maxBytes ?? 1_048_576)) {
      const code = this.#exchange.tooLong ?? 'UnexpectedResponse';
      controller.abort(new Failure(code, { detail: 'the answer is too long' }));
      return;
    }
    this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    this.#unlisten?.();
    this.#resolve(new HttpAnswer(this.#status, this.#headers, Buffer.concat(this.#chunks)));
  }

  onResponseError(_controller: Controller, error: Error): void {
    this.#unlisten?.();
    this.#reject(error);
  }
}

/** Passes one body on as it comes, no faster than it is taken. */
export class BodyStreamer {
  readonly #exchange: Exchange;
  readonly #sink: ByteSink;
  readonly #resolve: () => void;
  readonly #reject: (error: unknown) => void;
  #unlisten: (() => void) | undefined;
  #inFlight = 0;
  #ended = false;

  constructor(exchange: Exchange, sink: ByteSink, resolve: () => void, reject: (error: unknown) => void) {
    this.#exchange = exchange;
    this.#sink = sink;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  onRequestStart(controller: Controller): void {
    this.#unlisten = abortWith(this.#exchange.signal, controller);
  }

  onResponseStart(controller: Controller, status: number): void {
    if (status === 200 || status === 206) return;
    controller.abort(new Failure('UnexpectedResponse', { detail: `HTTP ${status}` }));
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    try {
      const pending = this.#sink(chunk);
      if (pending !== undefined) this.#await(controller, pending);
    } catch (error) {
      controller.abort(error instanceof Error ? error : new Failure('Internal'));
    }
  }

  onResponseEnd(): void {
    this.#ended = true;
    this.#finish();
  }

  onResponseError(_controller: Controller, error: Error): void {
    this.#unlisten?.();
    this.#reject(error);
  }

  #await(controller: Controller, pending: Promise<void>): void {
    this.#inFlight += 1;
    controller.pause();
    pending.then(
      () => {
        this.#inFlight -= 1;
        controller.resume();
        this.#finish();
      },
      (error: unknown) => {
        this.#reject(error);
        controller.abort(error instanceof Error ? error : new Failure('Internal'));
      },
    );
  }

  #finish(): void {
    if (!this.#ended || this.#inFlight > 0) return;
    this.#unlisten?.();
    this.#resolve();
  }
}

function abortWith(signal: AbortSignal | undefined, controller: Controller): (() => void) | undefined {
  if (signal === undefined) return undefined;
  const abort = (): void => controller.abort(new Failure('Cancelled', { cause: signal.reason }));
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
  return () => signal.removeEventListener('abort', abort);
}
