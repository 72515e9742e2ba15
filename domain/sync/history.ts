import type { SyncRecord } from '../resources/repository.ts';
import { primaryImage, waitOf, type SyncOutcome } from './outcome.ts';
import { waitReason } from './site-wait.ts';
import { describeOutcome } from './words.ts';

/** How many finished syncs a status keeps; Temporal and the audit log keep more. */
export const historyLimit = 20;

/** A finished sync as the status keeps it. */
export function syncRecord(outcome: SyncOutcome): SyncRecord {
  const digest = primaryImage(outcome)?.digest;
  const { run, failure, tally } = outcome;
  const waits = waitOf(outcome);
  const reason = failure?.code ?? (waits === undefined ? undefined : waitReason(waits));
  return {
    id: run.runId,
    trigger: run.trigger,
    result: outcome.result,
    started: run.started,
    ended: outcome.ended,
    ...(digest === undefined ? {} : { digest }),
    bytesMoved: tally.bytesMoved,
    bytesReused: tally.bytesReused,
    ...(reason === undefined ? {} : { reason, message: describeOutcome(outcome) }),
    workflowId: run.workflowId,
    runId: run.runId,
  };
}

/**
 * Puts a record first. One of the same run is replaced; a scheduled sync that found nothing new replaces the one before
 * it that found nothing new either, so that quiet hours do not push out what happened; the same for one that still waits.
 */
export function addRecord(history: readonly SyncRecord[], record: SyncRecord): SyncRecord[] {
  const others = history.filter(({ id }) => id !== record.id);
  const [last] = others;
  const same = last?.result === record.result && last.digest === record.digest;
  const quiet = same && isQuiet(record) && isQuiet(last);
  return [record, ...others.slice(quiet ? 1 : 0)].slice(0, historyLimit);
}

const isQuiet = ({ trigger, result }: SyncRecord): boolean =>
  trigger === 'schedule' && (result === 'Unchanged' || result === 'Waiting');
