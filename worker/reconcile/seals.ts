import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { asFailure } from '../../domain/failure.ts';
import type { OtherwiseSealed, ScheduleSeals } from '../../infra/temporal/schedule-seals.ts';
import { repeating } from './repeating.ts';

/** Shows how many Schedules each key but the first one seals; `''`: none, or none that is written down. */
export interface SealGauge {
  show(schedules: ReadonlyMap<string, number>): void;
}

/** What renewing of seals is handed. */
export interface SealingDependencies {
  readonly seals: ScheduleSeals;
  readonly gauge: SealGauge;
  readonly log: Logger;
  /** Milliseconds between two looks. Default: a minute. */
  readonly lookMs?: number;
  /** Milliseconds from one round of renewing to the next. Default: an hour. */
  readonly roundMs?: number;
  /** Milliseconds between two Schedules of a round. Default: 100, so that ten thousand take half an hour. */
  readonly pauseMs?: number;
}

/** So many failures in a row end a round: Temporal is away. */
const patience = 5;

/**
 * Keeps an eye on Schedules that another key than the first one seals, and seals them anew: at the start, as that is when
 * a process is given its keys, and every hour what came up since. Not sooner: in the midst of a roll-out processes differ
 * in which key is first, and would undo each other's work again and again. Returns what stops it.
 */
export function startSealing(deps: SealingDependencies): () => Promise<void> {
  const { seals, gauge, log, lookMs = 60_000, roundMs = 3_600_000 } = deps;
  const stopping = new AbortController();
  let nextRound = 0;
  const look = async (): Promise<number> => {
    const from = performance.now();
    const found = await seals.otherwise();
    // Many are dear to list: that takes a twentieth of Temporal's time at most.
    const pause = Math.max(lookMs, 20 * (performance.now() - from));
    gauge.show(countsOf(seals.keys, found));
    if (from >= nextRound && (await renewAll(deps, found, stopping.signal))) nextRound = from + roundMs;
    return pause;
  };
  let turn: Promise<number> | undefined;
  const looks = repeating(lookMs, () => {
    turn = look().catch((error: unknown) => {
      tell(log, 'schedules', error);
      return lookMs;
    });
    return turn;
  });
  return async () => {
    looks.stop();
    stopping.abort();
    await turn;
  };
}

/** One after the other; what fails does not hold up the others. False where some should be tried again at the next look. */
async function renewAll(
  { seals, gauge, log, pauseMs = 100 }: SealingDependencies,
  found: readonly OtherwiseSealed[],
  signal: AbortSignal,
): Promise<boolean> {
  const left = countsOf(seals.keys, found);
  tellBefore(log, seals.keys, left);
  let [inARow, isWhole] = [0, true];
  for (const { scheduleId, key = '' } of found) {
    if (signal.aborted || inARow >= patience) return false;
    try {
      await seals.renew(scheduleId);
      gauge.show(left.set(key, (left.get(key) ?? 1) - 1));
      inARow = 0;
    } catch (error) {
      tell(log, scheduleId, error);
      inARow += 1;
      if (asFailure(error).retryable) isWhole = false;
    }
    await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
  }
  if (found.length > 0) log.info({ schedules: found.length }, 'Schedules were sealed anew');
  return isWhole;
}

/** Each key that is here and not the first has a count, also where it seals none any more. */
function countsOf(keys: readonly string[], found: readonly OtherwiseSealed[]): Map<string, number> {
  const counts = new Map(keys.slice(1).map((key) => [key, 0]));
  for (const { key = '' } of found) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}

function tellBefore(log: Logger, keys: readonly string[], left: ReadonlyMap<string, number>): void {
  for (const [key, schedules] of left) {
    if (schedules === 0) continue;
    const isKnown = key === '' || keys.includes(key);
    const code = isKnown ? {} : { code: 'CodecKeyMissing' };
    log[isKnown ? 'info' : 'warn'](
      { key, schedules, ...code },
      `Schedules are sealed anew with ${keys[0] === undefined ? 'no key' : `key ${keys[0]}`}`,
    );
  }
}

function tell(log: Logger, key: string, error: unknown): void {
  const { code, message } = asFailure(error);
  log.warn({ key, code }, `Sealing anew failed, will be tried again: ${message}`);
}
