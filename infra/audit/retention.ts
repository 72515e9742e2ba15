import { checkpointPayload } from '../../domain/audit/checkpoint.ts';
import { headAfter } from '../../domain/audit/chain.ts';
import type { AuditRecord } from '../../domain/audit/record.ts';
import { checkpointsPrefix, recordsPrefix, sequenceOf, startKey } from './audit-keys.ts';
import type { AuditObjects } from './audit-log.ts';
import type { CheckpointSigner } from './chained-audit-log.ts';
import { parseRecords } from './parse-record.ts';

const dayMs = 86_400_000;

/** What giving up old records needs. */
export interface PruneOrder {
  readonly stream: string;
  readonly objects: AuditObjects;
  readonly signer: CheckpointSigner;
  readonly days: number;
  readonly now: Date;
}

/**
 * Gives up the records that are older than `days`. First a signed statement says after which record the stream now
 * starts, so that a verifier can tell records that were given up from records that were taken away; only then do they
 * go. A crash in between leaves records that the next pass takes. Always leaves the last object. Resolves with how many
 * objects went.
 */
export async function pruneStream(order: PruneOrder): Promise<number> {
  const { stream, objects, signer, days, now } = order;
  const cutMs = now.getTime() - days * dayMs;
  const gone: string[] = [];
  let last: AuditRecord | undefined;
  let candidate: string | undefined;
  for await (const { key } of objects.list(recordsPrefix(stream))) {
    if (candidate !== undefined) {
      const record = parseRecords((await objects.read(candidate)) ?? '').at(-1);
      if (record === undefined || !(Date.parse(record.time) < cutMs)) break;
      gone.push(candidate);
      last = record;
    }
    candidate = key;
  }
  if (last === undefined) return 0;
  const statement = { ...headAfter(last), time: now.toISOString(), keyId: signer.keyId };
  const signature = signer.sign(checkpointPayload(statement, 'start'));
  await objects.replace(startKey(stream, last.seq), JSON.stringify({ ...statement, signature }));
  for (const key of gone) await objects.remove(key);
  await removeUpTo(objects, checkpointsPrefix(stream), last.seq);
  return gone.length;
}

async function removeUpTo(objects: AuditObjects, prefix: string, seq: number): Promise<void> {
  for await (const { key } of objects.list(prefix)) {
    if (sequenceOf(key) >= seq) return;
    await objects.remove(key);
  }
}
