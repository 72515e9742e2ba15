import type { SyncWindow } from '../domain/resources/edge-site.ts';
import { windowAt } from '../domain/sync/sync-window.ts';

/** Work that was stopped because the window closed, or not begun. What was moved is kept and not moved again. */
export interface Pause {
  /** RFC 3339 UTC: when the window opens. */
  readonly pausedUntil: string;
}

/** Milliseconds between two looks: a window that is edited meanwhile counts within this time. */
const lookEveryMs = 1000;

/**
 * Runs work while a window is open: its signal aborts when the window closes, in the middle of a blob where need be.
 * `window` is asked again and again, so that what it answers may change.
 */
export async function withinWindow<T>(
  window: () => SyncWindow | undefined,
  now: () => number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T | Pause> {
  const closed = (): Pause | undefined => {
    const state = windowAt(window(), now());
    return state.open ? undefined : { pausedUntil: rfc3339(state.opensAt) };
  };
  const before = closed();
  if (before !== undefined) return before;
  const closing = new AbortController();
  const timer = setInterval(() => {
    if (closed() !== undefined) closing.abort();
  }, lookEveryMs);
  try {
    return await work(AbortSignal.any([signal, closing.signal]));
  } catch (error) {
    if (!closing.signal.aborted || signal.aborted) throw error;
    return closed() ?? { pausedUntil: rfc3339(now()) };
  } finally {
    clearInterval(timer);
  }
}

const rfc3339 = (ms: number): string =>
  `${new Date(Math.ceil(ms / 1000) * 1000).toISOString().slice(0, 19)}Z`;
