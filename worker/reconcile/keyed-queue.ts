import { setTimeout as sleep } from 'node:timers/promises';

export interface QueueOptions {
  /** Keys worked on at the same time. Default: 8. */
  readonly lanes?: number;
  /** First pause after a failure, in milliseconds; doubles up to a minute, with up to a fifth more by chance. Default: 500. */
  readonly pauseMs?: number;
  /** Told of each failure. */
  readonly onFailure: (key: string, error: unknown) => void;
}

const maxPauseMs = 60_000;

/**
 * Works on keys, each by one worker at a time. A key that is added while it is worked on is worked on once more; one
 * that is added twice before that, once. A key whose work fails comes again after a pause.
 */
export class KeyedQueue {
  readonly #work: (key: string) => Promise<void>;
  readonly #options: Required<QueueOptions>;
  readonly #waiting = new Set<string>();
  readonly #running = new Set<string>();
  readonly #failures = new Map<string, number>();
  readonly #stopping = new AbortController();

  constructor(work: (key: string) => Promise<void>, options: QueueOptions) {
    this.#work = work;
    this.#options = { lanes: 8, pauseMs: 500, ...options };
  }

  /** Keys that wait, are worked on, or come again because their work failed. */
  get depth(): number {
    return new Set([...this.#waiting, ...this.#running, ...this.#failures.keys()]).size;
  }

  add(key: string): void {
    if (this.#stopping.signal.aborted) return;
    this.#waiting.add(key);
    this.#fill();
  }

  /** No new work is begun; resolves when what runs has ended. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    while (this.#running.size > 0) await sleep(20);
  }

  #fill(): void {
    for (const key of this.#waiting) {
      if (this.#running.size >= this.#options.lanes || this.#stopping.signal.aborted) return;
      if (this.#running.has(key)) continue;
      this.#waiting.delete(key);
      this.#running.add(key);
      void this.#run(key);
    }
  }

  async #run(key: string): Promise<void> {
    try {
      await this.#work(key);
      this.#failures.delete(key);
    } catch (error) {
      this.#options.onFailure(key, error);
      void this.#again(key);
    } finally {
      this.#running.delete(key);
      this.#fill();
    }
  }

  async #again(key: string): Promise<void> {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    const pause = Math.min(maxPauseMs, this.#options.pauseMs * 2 ** failures) * (1 + Math.random() * 0.2);
    await sleep(pause, undefined, { signal: this.#stopping.signal, ref: false }).catch(() => undefined);
    this.add(key);
  }
}
