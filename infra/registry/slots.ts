import { Failure } from '../../domain/failure.ts';

/** A fixed number of places; who finds none waits in line. */
export class Slots {
  readonly size: number;
  #free: number;
  readonly #line: (() => void)[] = [];

  constructor(size: number) {
    this.size = size;
    this.#free = size;
  }

  /** Runs `task` in a free place. Rejects with `Cancelled` where `signal` aborts before it got one. */
  async run<T>(task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    await this.#take(signal);
    try {
      return await task();
    } finally {
      this.#release();
    }
  }

  #take(signal: AbortSignal | undefined): Promise<void> | undefined {
    if (signal?.aborted === true) throw new Failure('Cancelled', { cause: signal.reason });
    if (this.#free > 0) {
      this.#free -= 1;
      return undefined;
    }
    return new Promise((resolve, reject) => {
      const enter = (): void => {
        signal?.removeEventListener('abort', leave);
        resolve();
      };
      const leave = (): void => {
        this.#line.splice(this.#line.indexOf(enter), 1);
        reject(new Failure('Cancelled', { cause: signal?.reason }));
      };
      signal?.addEventListener('abort', leave, { once: true });
      this.#line.push(enter);
    });
  }

  #release(): void {
    const next = this.#line.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}
