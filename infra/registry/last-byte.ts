import { asFailure, Failure } from '../../domain/failure.ts';
import type { Descriptor } from '../../domain/image/descriptor.ts';
import type { ByteSink } from '../copy/content.ts';
import { RetryPlan } from '../copy/retry-plan.ts';

/** Whether the last byte of a blob can be read. What says twice that it is gone is gone; anything else is tried again. */
export async function hasLastByte(
  blob: Descriptor,
  read: (from: number, sink: ByteSink) => Promise<void>,
  signal?: AbortSignal,
): Promise<boolean> {
  const retry = new RetryPlan(signal);
  for (let gone = 0; ;) {
    let bytes = 0;
    try {
      await read(blob.size - 1, (chunk) => void (bytes += chunk.byteLength));
      return bytes === 1;
    } catch (error) {
      if (!saysBlobIsGone(error)) await retry.next(asFailure(error));
      else if (++gone === 2) return false;
    }
  }
}

/** After a garbage collection, distribution answers 200 and then drops the connection. */
function saysBlobIsGone(error: unknown): boolean {
  return (
    error instanceof Failure &&
    ['SourceIncomplete', 'Truncated', 'NetworkError', 'RangeRefused', 'SizeMismatch'].includes(error.code)
  );
}
