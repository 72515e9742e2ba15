import { availableParallelism } from 'node:os';
import { extname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { Failure } from '../../domain/failure.ts';
import type { Hashed, Stretch } from './hash-thread.ts';
import { mediaFailure } from '../disk/media-failure.ts';
import type { FilePart } from './read-file.ts';

/** More threads than this wait for the medium, not for a core. */
const maxThreads = 4;
/** Bytes from which on threads save more than their start costs (25 ms each). */
const worthwhileBytes = 64 * 1024 * 1024;

/** Beside this file under the same ending: TypeScript from source, plain JavaScript as packaged. */
const threadFile = join(import.meta.dirname, `hash-thread${extname(import.meta.filename)}`);

/** Threads that hash parts of files, each on a core of its own. Close it when done. */
export class HashCrew {
  readonly size: number;
  readonly #threads: readonly Worker[];
  readonly #idle: Worker[];

  private constructor(size: number) {
    this.size = size;
    this.#threads = Array.from({ length: size }, () => new Worker(threadFile));
    this.#idle = [...this.#threads];
  }

  /** A crew for so many bytes; undefined where one thread, the caller's own, does as well. */
  static for(bytes: number, cores: number = availableParallelism()): HashCrew | undefined {
    return bytes < worthwhileBytes || cores < 2 ? undefined : new HashCrew(Math.min(cores, maxThreads));
  }

  /**
   * The SHA-256 in hex of what a part holds, and its bytes: fewer than its length where the file was cut. At most `size`
   * calls at a time. Throws `MediaError` where the medium fails, `Cancelled`.
   */
  async hash(part: FilePart, signal?: AbortSignal): Promise<{ readonly hex: string; readonly size: number }> {
    if (signal?.aborted === true) throw new Failure('Cancelled');
    const thread = this.#idle.pop();
    if (thread === undefined) throw new Failure('Internal', { detail: 'more calls than threads' });
    const { handle, start, length, name } = part;
    const answer = await ask(thread, { fd: handle.fd, start, length }, signal);
    this.#idle.push(thread);
    if ('hex' in answer) return answer;
    throw mediaFailure(Object.assign(new Error(answer.message), { code: answer.failed }), name);
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.terminate()));
  }
}

function ask(thread: Worker, stretch: Stretch, signal?: AbortSignal): Promise<Hashed> {
  return new Promise((resolve, reject) => {
    const cancel = (): void => settle(() => reject(new Failure('Cancelled', { cause: signal?.reason })));
    const fail = (error: unknown): void => settle(() => reject(new Failure('Internal', { cause: error })));
    const take = (answer: Hashed): void => settle(() => resolve(answer));
    const settle = (then: () => void): void => {
      signal?.removeEventListener('abort', cancel);
      thread.off('message', take).off('error', fail);
      then();
    };
    signal?.addEventListener('abort', cancel, { once: true });
    thread.once('message', take).once('error', fail);
    thread.postMessage(stretch);
  });
}
