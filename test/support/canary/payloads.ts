import type { Payload } from '@temporalio/common';

/** A payload and where it lies, such as `.events.3.activityTaskScheduledEventAttributes.input.payloads.0`. */
export interface FoundPayload {
  readonly path: string;
  readonly payload: Payload;
}

/** Every payload of what Temporal answers, wherever it lies: arguments, results, heartbeats, memos, summaries, failures. */
export function* payloadsIn(value: unknown, path = ''): Generator<FoundPayload> {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return;
  const { data, metadata } = value as Payload;
  if (data instanceof Uint8Array && metadata?.['encoding'] instanceof Uint8Array)
    yield { path, payload: { data, metadata } };
  else for (const [name, part] of Object.entries(value)) yield* payloadsIn(part, `${path}.${name}`);
}

/** What a payload's metadata says, such as its `encoding`. Empty where it says nothing. */
export const saidBy = ({ metadata }: Payload, field: string): string =>
  Buffer.from(metadata?.[field] ?? []).toString('utf8');
