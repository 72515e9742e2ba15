/** Tells the person at the terminal what is going on. */
export interface Progress {
  /** One finished fact. */
  readonly say: (line: string) => void;
  /** Begins something slow; it is told now, every 10 seconds while it runs, and when it ends. */
  readonly begin: (what: string) => Step;
}

export interface Step {
  /** What it is doing right now, shown with the next line. */
  detail(text: string): void;
  done(text?: string): void;
  failed(): void;
}

/** `7s`, `3m 05s`. */
export function elapsed(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 60) return milliseconds < 9_950 ? `${(milliseconds / 1000).toFixed(1)}s` : `${seconds}s`;
  return `${Math.floor(seconds / 60)}m ${String(seconds % 60).padStart(2, '0')}s`;
}

/** Progress as plain lines on `write`, readable in a terminal and in a log alike. */
export function lineProgress(write: (line: string) => void = console.log): Progress {
  return {
    say: write,
    begin(what) {
      const from = performance.now();
      let detail = '';
      write(`  … ${what}`);
      const time = (): string => elapsed(performance.now() - from);
      const timer = setInterval(
        () => write(`  … ${what}: ${time()}${detail === '' ? '' : `, ${detail}`}`),
        10_000,
      );
      timer.unref();
      return {
        detail: (text) => (detail = text),
        done(text) {
          clearInterval(timer);
          write(`  ✓ ${what} (${text === undefined ? '' : `${text}, `}${time()})`);
        },
        failed() {
          clearInterval(timer);
          write(`  ✗ ${what} (after ${time()})`);
        },
      };
    },
  };
}

/** Progress for tests: nothing but what fails. */
export const quietProgress: Progress = {
  say: () => {},
  begin: (what) => ({ detail: () => {}, done: () => {}, failed: () => console.error(`  ✗ ${what}`) }),
};
