import { Failure } from '../failure.ts';
import { printable } from '../names/digest.ts';
import type { SyncPeriod, SyncWindow } from '../resources/edge-site.ts';
import { clockAt, firstInstantOf, parseTimeZone } from './local-time.ts';

/** Days of the week as `SyncPeriod` names them; the index is that of `Date.prototype.getUTCDay`. */
export const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const;

const dayMs = 86_400_000;
/** Days looked ahead: a weekly period that a leap of the clocks leaves out once comes a week later. */
const horizonDays = 15;

/** Whether copies may run now. Times are epoch milliseconds. */
export type WindowState =
  /** `closesAt`: the hard end. Default: none within two weeks. */
  { readonly open: true; readonly closesAt?: number } | { readonly open: false; readonly opensAt: number };

/**
 * Whether a window is open. Periods are wall-clock time: one whose `to` is not after `from` ends on the next day;
 * periods that touch or overlap are one. Where clocks are set back, a time that comes twice counts when it first comes;
 * where they are set forward, a time that is left out counts as the moment of the leap. No window: always open.
 */
export function windowAt(window: SyncWindow | undefined, now: number): WindowState {
  if (window === undefined) return { open: true };
  const spans = joined(spansAround(window, now));
  const current = spans.find(({ start, end }) => start <= now && now < end);
  if (current !== undefined) {
    const last = spans.at(-1)?.end;
    return current.end === last && current.start < now - dayMs * 7
      ? { open: true }
      : { open: true, closesAt: current.end };
  }
  const next = spans.find(({ start }) => start > now);
  return { open: false, opensAt: next?.start ?? now + horizonDays * dayMs };
}

/** Checks a window that a user wrote. Throws `InvalidRule`. */
export function checkSyncWindow({ timeZone, periods }: SyncWindow): void {
  if (timeZone !== undefined) parseTimeZone(timeZone);
  for (const { from, to } of periods) {
    const [start, end] = [timeOfDay(from), timeOfDay(to)];
    if (start === undefined || start === dayMs) throw invalid(from, 'expected a time of day such as 22:00');
    if (end === undefined) throw invalid(to, 'expected a time of day such as 06:00, or 24:00');
    if (start === end) throw invalid(`${from} to ${to}`, 'a whole day is written 00:00 to 24:00');
  }
}

interface Span {
  readonly start: number;
  readonly end: number;
}

function spansAround({ timeZone = 'UTC', periods }: SyncWindow, now: number): Span[] {
  const today = Math.floor(clockAt(timeZone, now) / dayMs) * dayMs;
  const spans: Span[] = [];
  // From eight days back, so that a window that is always open shows no beginning that is near.
  for (let day = today - 8 * dayMs; day <= today + horizonDays * dayMs; day += dayMs) {
    const name = weekdays[new Date(day).getUTCDay()];
    for (const period of periods) {
      if (period.days !== undefined && !period.days.some((wanted) => wanted === name)) continue;
      spans.push(spanOn(day, period, timeZone));
    }
  }
  return spans.filter(({ start, end }) => start < end);
}

function spanOn(day: number, period: SyncPeriod, zone: string): Span {
  const from = timeOfDay(period.from) ?? 0;
  const to = timeOfDay(period.to) ?? 0;
  return {
    start: firstInstantOf(zone, day + from),
    end: firstInstantOf(zone, day + to + (to > from ? 0 : dayMs)),
  };
}

function joined(spans: readonly Span[]): Span[] {
  const result: Span[] = [];
  for (const span of [...spans].sort((a, b) => a.start - b.start)) {
    const last = result.at(-1);
    if (last === undefined || span.start > last.end) result.push(span);
    else if (span.end > last.end) result[result.length - 1] = { start: last.start, end: span.end };
  }
  return result;
}

/** Milliseconds since midnight of `HH:MM` or `HH:MM:SS`, `24:00` included; undefined for anything else. */
function timeOfDay(text: string): number | undefined {
  const match = /^(\d{2}):(\d{2})(?::(\d{2}))?$/.exec(text);
  if (match === null) return undefined;
  const [hour, minute, second] = [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)];
  const ms = ((hour * 60 + minute) * 60 + second) * 1000;
  return minute < 60 && second < 60 && ms <= dayMs ? ms : undefined;
}

function invalid(subject: string, detail: string): Failure {
  return new Failure('InvalidRule', { side: 'caller', subject: printable(subject), detail });
}
