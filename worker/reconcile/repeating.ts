/** Work that is done now and again. */
export interface Repeating {
  /** Resolves when it was done for the first time. */
  readonly first: Promise<void>;
  stop(): void;
}

/**
 * Does work now and again, never twice at once; `work` tells after how many milliseconds the next time is due. Up to a
 * fifth more is added by chance, so that processes that were started together do not ask together.
 */
export function repeating(afterFailureMs: number, work: () => Promise<number>): Repeating {
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  const turn = async (): Promise<void> => {
    const pause = await work().catch(() => afterFailureMs);
    if (!isStopped) timer = setTimeout(() => void turn(), pause * (1 + Math.random() * 0.2));
  };
  return {
    first: turn(),
    stop() {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}
