import { Failure } from './failure.ts';
import { printable } from './names/digest.ts';

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/**
 * Parses a Go-style duration such as `1h30m`, `90s` or `500ms` (units h, m, s, ms; fractions allowed) into milliseconds.
 * Throws `InvalidDuration` for anything else, for zero and for more than ten years.
 */
export function parseDuration(text: string): number {
  const pattern = /(\d{1,9}(?:\.\d{1,6})?)(h|ms|m|s)/y;
  let total = 0;
  let read = 0;
  while (read < text.length) {
    pattern.lastIndex = read;
    const match = pattern.exec(text);
    if (match === null) break;
    total += Number(match[1]) * (unitMs[match[2] ?? ''] ?? Number.NaN);
    read = pattern.lastIndex;
  }
  if (read === 0 || read !== text.length || !(total >= 1 && total <= 315_360_000_000)) {
    throw new Failure('InvalidDuration', {
      subject: printable(text),
      detail: 'expected for example 1h, 30m or 90s',
    });
  }
  return Math.round(total);
}
