import { asFailure, type Failure } from '../../domain/failure.ts';

/** What the process tells its caller; see `worker/imageferry.ts`. */
export const exitCode = { done: 0, failed: 1, partial: 3, mayPass: 75, interrupted: 130 } as const;

/** The exit code of a failure. */
export function exitCodeOf(failure: Failure): number {
  if (failure.code === 'Cancelled') return exitCode.interrupted;
  return failure.retryable ? exitCode.mayPass : exitCode.failed;
}

/** A failure as JSON. */
export function failureJson(failure: Failure): Record<string, unknown> {
  const { code, side, subject, detail, retryable } = failure;
  return { code, message: failure.message, side, subject, detail, retryable };
}

/** Runs a command until it ends or the person interrupts it, and prints why it failed where it did. */
export async function runCommand(
  json: boolean,
  command: (signal: AbortSignal) => Promise<number>,
): Promise<number> {
  const interrupt = new AbortController();
  const stop = (): void => interrupt.abort();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  try {
    return await command(interrupt.signal);
  } catch (error) {
    const failure = asFailure(error);
    if (json) console.log(JSON.stringify({ failure: failureJson(failure) }));
    else console.error(`imageferry: ${failure.code}: ${failure.message}`);
    if (failure.code === 'Internal' && process.env['LOG_LEVEL'] === 'debug') console.error(failure.cause);
    return exitCodeOf(failure);
  } finally {
    process.removeListener('SIGINT', stop);
    process.removeListener('SIGTERM', stop);
  }
}
