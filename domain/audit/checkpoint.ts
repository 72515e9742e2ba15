import { canonicalJson } from './canonical-json.ts';
import type { ChainHead } from './chain.ts';

/**
 * A signed statement of how far a stream had come. Kept elsewhere, it proves what a chain alone cannot: that nobody
 * re-wrote the records up to it, nor cut them off (fault Q03).
 */
export interface Checkpoint extends ChainHead {
  /** RFC 3339 UTC. */
  readonly time: string;
  /** Names the key that signed it. */
  readonly keyId: string;
  /** Ed25519 over {@link checkpointPayload}, in base64. */
  readonly signature: string;
}

/** Records after which a checkpoint is due. */
export const checkpointEvery = 100;
/** Milliseconds after which one is due where there are new records. */
export const checkpointAfterMs = 60_000;

/** `checkpoint`: the stream had come so far. `start`: records up to here were given up as too old. */
export type StatementKind = 'checkpoint' | 'start';

/** The text that is signed. Its first line keeps a signature from being used for anything else. */
export function checkpointPayload(
  statement: Omit<Checkpoint, 'signature'>,
  kind: StatementKind = 'checkpoint',
): string {
  const { stream, seq, hash, time, keyId } = statement;
  return `imageferry-audit-${kind}-v1\n${canonicalJson({ stream, seq, hash, time, keyId })}`;
}

/** Whether a checkpoint is due. */
export function checkpointDue(
  head: ChainHead,
  last: { readonly seq: number; readonly timeMs: number },
  nowMs: number,
): boolean {
  if (head.seq === last.seq) return false;
  return head.seq - last.seq >= checkpointEvery || nowMs - last.timeMs >= checkpointAfterMs;
}
