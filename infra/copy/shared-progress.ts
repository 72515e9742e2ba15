import type { CopyProgress } from './engine.ts';

type Listener = (progress: CopyProgress) => void;

/** The progress of several copies as one. */
export class SharedProgress {
  readonly #listener: Listener | undefined;
  readonly #parts: CopyProgress[] = [];

  constructor(listener: Listener | undefined) {
    this.#listener = listener;
  }

  /** Where one of the copies tells how far it is. */
  part(): Listener {
    const index = this.#parts.push({ totalBytes: 0, doneBytes: 0, movedBytes: 0 }) - 1;
    return (progress) => {
      this.#parts[index] = progress;
      if (this.#listener === undefined) return;
      const sum = (count: keyof CopyProgress): number =>
        this.#parts.reduce((total, part) => total + part[count], 0);
      this.#listener({
        totalBytes: sum('totalBytes'),
        doneBytes: sum('doneBytes'),
        movedBytes: sum('movedBytes'),
      });
    };
  }
}
