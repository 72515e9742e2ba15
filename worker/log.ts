import pino, { type Logger } from 'pino';
import { redact } from '../domain/sync/redact.ts';

/** A log of JSON lines in which errors show their words, with what looks like a secret taken out (faults N12, P13). */
export function createLog(level: string, component: string): Logger {
  return pino({
    level,
    base: { component },
    serializers: { err: (error: unknown) => describeError(error, 3) },
    redact: { paths: ['*.password', '*.credential', '*.authorization', 'password'], censor: '***' },
  });
}

/** Name, code, message, stack and causes; never any other property, since some libraries attach whole requests. */
function describeError(error: unknown, depth: number): object {
  if (!(error instanceof Error)) return { message: redact(String(error)) };
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {};
  const cause =
    error.cause === undefined || depth === 0 ? {} : { cause: describeError(error.cause, depth - 1) };
  return {
    name: error.name,
    ...code,
    message: redact(error.message),
    stack: redact(error.stack ?? ''),
    ...cause,
  };
}
