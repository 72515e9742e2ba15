import type { SyncWindow } from '../domain/resources/edge-site.ts';
import { windowAt } from '../domain/sync/sync-window.ts';

/** Work that was stopped because the window closed, or not begun. What was moved is kept and not moved again. */
export interface Pause {
  /** RFC 3339 UTC: when the window opens. */
  readonly pausedUntil: string;
  /** Bytes that were moved before. Default: none. */
  readonly bytesMoved?: number;
}

/** Milliseconds between two looks: a window that is edited meanwhile counts within this time. */
const lookEveryMs = 1000;

/** A window that is watched while work runs. */
export interface WindowGate {
  /** Aborts when the window closes, or when all work is stopped. */
  readonly signal: AbortSignal;
  /** Why the work did not go on, where the window is the reason. */
  closed(): Pause | undefined;
  stop(): void;
}

/** Watches a window; `window` is asked again and again, so that what it answers may change. Stop it when done. */
export function watchWindow(
  window: () => SyncWindow | undefined,
  now: () => number,
  signal: AbortSignal,
): WindowGate {
  const look = (): Pause | undefined => {
    const state = windowAt(window(), now());
    return state.open ? undefined : { pausedUntil: rfc3339(state.opensAt) };
  };
  const closing = new AbortController();
  const before = look();
  if (before !== undefined) closing.abort();
  const timer = setInterval(() => {
    if (look() !== undefined) closing.abort();
  }, lookEveryMs);
  return {
    signal: AbortSignal.any([signal, closing.signal]),
    closed() {
      if (!closing.signal.aborted || signal.aborted) return undefined;
      return look() ?? { pausedUntil: rfc3339(now()) };
    },
    stop: () => clearInterval(timer),
  };
}

/**
 * Runs work while a window is open: its signal aborts when the window closes, in the middle of a blob where need be.
 */
export async function withinWindow<T>(
  window: () => SyncWindow | undefined,
  now: () => number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T | Pause> {
  const gate = watchWindow(window, now, signal);
  try {
    return gate.closed() ?? (await work(gate.signal));
  } catch (error) {
    const pause = gate.closed();
    if (pause === undefined) throw error;
    return pause;
  } finally {
    gate.stop();
  }
}

const rfc3339 = (ms: number): string =>
  `${new Date(Math.ceil(ms / 1000) * 1000).toISOString().slice(0, 19)}Z`;
