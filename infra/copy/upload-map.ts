import type { UploadMemory } from './content.ts';

const maxUploads = 10_000;

/** Upload memory of one process, optionally filled from what an earlier one left and reported to whoever keeps it. */
export class UploadMap implements UploadMemory {
  readonly #uploads: Map<string, string>;
  readonly #onChange: (() => void) | undefined;

  constructor(known: Iterable<readonly [string, string]> = [], onChange?: () => void) {
    this.#uploads = new Map(known);
    this.#onChange = onChange;
  }

  recall(key: string): string | undefined {
    return this.#uploads.get(key);
  }

  remember(key: string, upload: string | undefined): void {
    if (upload === this.#uploads.get(key)) return;
    if (upload === undefined) this.#uploads.delete(key);
    else if (this.#uploads.size < maxUploads) this.#uploads.set(key, upload);
    this.#onChange?.();
  }

  entries(): readonly (readonly [string, string])[] {
    return [...this.#uploads];
  }
}
