import { humanSize } from '../../domain/human-size.ts';
import type { Bytes } from '../../domain/sync/progress.ts';

const barWidth = 24;
const redrawMs = 100;

/** One line at the bottom of the terminal that shows how far a copy is; nothing where stderr is not a terminal. */
export class ProgressLine {
  readonly #enabled: boolean;
  readonly #label: string;
  readonly #started = performance.now();
  #drawn = 0;

  constructor(label: string, quiet: boolean) {
    this.#label = label;
    this.#enabled = !quiet && process.stderr.isTTY;
  }

  show(progress: Bytes): void {
    const now = performance.now();
    if (!this.#enabled || now - this.#drawn < redrawMs) return;
    this.#drawn = now;
    process.stderr.write(`\r\u001b[K${progressText(this.#label, progress, now - this.#started)}`);
  }

  clear(): void {
    if (this.#enabled && this.#drawn > 0) process.stderr.write('\r\u001b[K');
  }
}

/** Such as `app:v1 [=====>      ] 42% 120MB of 280MB, 85MB/s, 2s left`. */
export function progressText(label: string, { doneBytes, totalBytes }: Bytes, elapsedMs: number): string {
  const share = totalBytes === 0 ? 1 : Math.min(1, doneBytes / totalBytes);
  const filled = Math.round(share * barWidth);
  const bar = `${'='.repeat(Math.max(0, filled - 1))}${filled > 0 ? '>' : ''}`.padEnd(barWidth);
  const rate = elapsedMs < 200 ? 0 : (doneBytes * 1000) / elapsedMs;
  const left = rate > 0 ? `, ${Math.ceil((totalBytes - doneBytes) / rate)}s left` : '';
  const speed = rate > 0 ? `, ${humanSize(rate)}/s` : '';
  return `${label} [${bar}] ${Math.floor(share * 100)}% ${humanSize(doneBytes)} of ${humanSize(totalBytes)}${speed}${left}`;
}
