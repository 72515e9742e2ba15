import type { Client, ScheduleDescription } from '@temporalio/client';
import { defineSearchAttributeKey, TypedSearchAttributes } from '@temporalio/common';
import { searchAttributes } from '../../domain/sync/ids.ts';
import { SealingCodec } from './codec.ts';

/** Says on a Schedule which key sealed what it starts with, so that all others can be asked for in one list. */
export const sealAttribute = defineSearchAttributeKey(searchAttributes.seal, 'KEYWORD');

/** The codec by which a client seals; undefined where it seals nothing. */
export function codecOf({ options }: Client): SealingCodec | undefined {
  return options.loadedDataConverter.payloadCodecs.find((codec) => codec instanceof SealingCodec);
}

/** The attributes of a Schedule that a client writes: those it has, and the key. `present`: default, none. */
export function attributesWithSeal(
  client: Client,
  present?: Pick<ScheduleDescription, 'typedSearchAttributes'>,
): TypedSearchAttributes {
  const others = present?.typedSearchAttributes ?? new TypedSearchAttributes();
  return others.updateCopy([{ key: sealAttribute, value: codecOf(client)?.keyId ?? null }]);
}
