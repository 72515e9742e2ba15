import { Failure } from '../failure.ts';
import { printable } from '../names/digest.ts';

const dayMs = 86_400_000;
const formatters = new Map<string, Intl.DateTimeFormat>();

/** Checks an IANA zone such as `Asia/Shanghai`. Throws `InvalidRule`. */
export function parseTimeZone(zone: string): string {
  try {
    formatterOf(zone);
    return zone;
  } catch {
    throw new Failure('InvalidRule', {
      side: 'caller',
      subject: printable(zone),
      detail: 'expected an IANA time zone such as Asia/Shanghai',
    });
  }
}

/**
 * What clocks in a zone show at an instant, as the milliseconds that UTC clocks showing the same would have. Two such
 * numbers compare as dates and times of day do.
 */
export function clockAt(zone: string, instant: number): number {
  const parts = new Map(
    formatterOf(zone)
      .formatToParts(instant)
      .map(({ type, value }) => [type, value]),
  );
  const part = (name: Intl.DateTimeFormatPartTypes): number => Number(parts.get(name));
  return Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'));
}

/**
 * The first instant at which clocks in a zone show `clock` (as {@link clockAt} counts). Where they are set back over it
 * and it comes twice, the first time; where they are set forward over it and it never comes, the moment of that leap.
 */
export function firstInstantOf(zone: string, clock: number): number {
  const offsetAt = (instant: number): number => clockAt(zone, instant) - Math.floor(instant / 1000) * 1000;
  const offsets = [offsetAt(clock - dayMs), offsetAt(clock + dayMs)];
  const candidates = offsets.map((offset) => clock - offset).sort((a, b) => a - b);
  const exact = candidates.find((instant) => clockAt(zone, instant) === clock);
  if (exact !== undefined) return exact;
  let [before = clock, after = clock] = candidates;
  while (after - before > 1000) {
    const middle = Math.floor((before + after) / 2000) * 1000;
    if (clockAt(zone, middle) < clock) before = middle;
    else after = middle;
  }
  return after;
}

function formatterOf(zone: string): Intl.DateTimeFormat {
  const known = formatters.get(zone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  formatters.set(zone, made);
  return made;
}
