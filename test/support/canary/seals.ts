import { payloadsIn, saidBy, type FoundPayload } from './payloads.ts';

/** Whether Temporal must read it, to search by it. */
export const isSearchable = ({ path }: FoundPayload): boolean => /[sS]earchAttributes\./.test(path);

/** What Temporal's own SDK writes where a workflow asks `patched()`: the name of the patch, which no codec is shown. */
export const isPatch = ({ path }: FoundPayload): boolean =>
  path.includes('.markerRecordedEventAttributes.details.patch-data.');

/** A payload without content, which is not sealed. */
const isNothing = ({ payload }: FoundPayload): boolean =>
  saidBy(payload, 'encoding') === 'binary/null' && (payload.data ?? []).length === 0;

/** The content of a payload, as text. */
export const textOf = ({ data }: FoundPayload['payload']): string => Buffer.from(data ?? []).toString('utf8');

/** Ids of the keys that seal what has to be sealed in an answer of Temporal; `clear: …` says what lies open. */
export function keysOf(answer: unknown): readonly string[] {
  const sealed = [...payloadsIn(answer)].filter(
    (found) => !isSearchable(found) && !isPatch(found) && !isNothing(found),
  );
  const keys = sealed.map(({ path, payload }) =>
    saidBy(payload, 'encoding') === 'binary/encrypted'
      ? saidBy(payload, 'encryption-key-id')
      : `clear: ${path} ${textOf(payload)}`,
  );
  return [...new Set(keys)].sort();
}
