import { Context } from '@temporalio/activity';

/** Milliseconds between heartbeats: a cancelled activity hears of it within this time. */
const beatEveryMs = 500;

/** Reports details with every heartbeat; they are for people who look, never for resuming (fault N05). */
export interface Pulse {
  tell(details: unknown): void;
}

/**
 * Runs work with a heartbeat that beats whether or not the work gets on, and with the signal by which Temporal cancels
 * it. Work that makes no headway has its own time-outs.
 */
export async function withHeartbeat<T>(work: (signal: AbortSignal, pulse: Pulse) => Promise<T>): Promise<T> {
  const context = Context.current();
  let details: unknown;
  const timer = setInterval(() => context.heartbeat(details), beatEveryMs);
  const pulse: Pulse = {
    tell(next) {
      details = next;
    },
  };
  try {
    return await work(context.cancellationSignal, pulse);
  } finally {
    clearInterval(timer);
  }
}
