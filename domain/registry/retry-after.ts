/** The headers that can say when to come back. */
export interface RetryHeaders {
  readonly retryAfter?: string;
  /** Docker Hub's API: unix seconds. */
  readonly xRetryAfter?: string;
  /** The answer's own `Date`; a date in `Retry-After` is measured against it, as clocks differ. Default: our clock. */
  readonly date?: string;
}

const shortestMs = 1000;
const longestMs = 3_600_000;
const dayMs = 86_400_000;

/**
 * Milliseconds to wait, between one second and one hour; undefined where the headers say nothing that can be
 * understood. `nowMs` is unix time in milliseconds.
 */
export function retryAfterMs(headers: RetryHeaders, nowMs: number): number | undefined {
  const wait = waitOf(headers.retryAfter, headers.date, nowMs) ?? unixWait(headers.xRetryAfter, nowMs);
  return wait === undefined ? undefined : Math.min(Math.max(wait, shortestMs), longestMs);
}

function waitOf(text: string | undefined, date: string | undefined, nowMs: number): number | undefined {
  const value = text?.trim();
  if (value === undefined || value === '') return undefined;
  if (/^[+-]?\d{1,15}(?:\.\d{1,9})?$/.test(value)) {
    return looksLikeUnixTime(Number(value), nowMs) ? Number(value) * 1000 - nowMs : Number(value) * 1000;
  }
  const until = parseHttpDate(value);
  return until === undefined
    ? undefined
    : until - ((date === undefined ? undefined : parseHttpDate(date)) ?? nowMs);
}

/** Some servers write a point in time where seconds belong; nobody asks for a wait of half a century. */
function looksLikeUnixTime(seconds: number, nowMs: number): boolean {
  return Math.abs(seconds * 1000 - nowMs) < dayMs;
}

function unixWait(text: string | undefined, nowMs: number): number | undefined {
  const value = text?.trim();
  if (value === undefined || !/^\d{1,15}(?:\.\d{1,9})?$/.test(value)) return undefined;
  return looksLikeUnixTime(Number(value), nowMs) ? Number(value) * 1000 - nowMs : Number(value) * 1000;
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Unix milliseconds of an HTTP date in the one form that servers may send (RFC 9110, 5.6.7); undefined for others. */
export function parseHttpDate(text: string): number | undefined {
  const match =
    /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d{2}) ([A-Z][a-z]{2}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) GMT$/.exec(
      text.trim(),
    );
  const month = months.indexOf(match?.[2] ?? '');
  if (match === null || month < 0) return undefined;
  const [day, year, hour, minute, second] = [1, 3, 4, 5, 6].map((group) => Number(match[group]));
  return Date.UTC(year ?? 0, month, day, hour, minute, second);
}
