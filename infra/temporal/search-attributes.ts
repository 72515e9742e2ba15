import {
  defineSearchAttributeKey,
  TypedSearchAttributes,
  type SearchAttributePair,
} from '@temporalio/common';
import { Connection, type Client } from '@temporalio/client';
import type { ObjectRef } from '../../domain/resources/meta.ts';
import { searchAttributes } from '../../domain/sync/ids.ts';
import { Failure } from '../../domain/failure.ts';

/** `temporal.api.enums.v1.IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD`. */
const keyword = 2;

type AttributeName = keyof typeof searchAttributes;

/** Search attributes of a workflow, by our short names. */
export function attributesOf(values: Partial<Record<AttributeName, string>>): TypedSearchAttributes {
  const pairs = Object.entries(values).flatMap(([name, value]): SearchAttributePair[] =>
    isAttributeName(name)
      ? [{ key: defineSearchAttributeKey(searchAttributes[name], 'KEYWORD'), value }]
      : [],
  );
  return new TypedSearchAttributes(pairs);
}

/** Why a sync was started. */
export const triggerAttribute = defineSearchAttributeKey(searchAttributes.trigger, 'KEYWORD');

/** Those that say what a workflow is about. */
export function attributesOfRepository(ref: ObjectRef, trigger: string): TypedSearchAttributes {
  return attributesOf({ namespace: ref.namespace, repository: ref.name, trigger });
}

/**
 * Registers the names that are missing, once per namespace; a start with an unknown name would be refused. Idempotent.
 * Throws `EngineUnavailable` where Temporal does not answer within ten seconds.
 */
export async function registerSearchAttributes({ connection }: Client, namespace: string): Promise<void> {
  if (!(connection instanceof Connection)) return;
  try {
    await connection.withDeadline(Date.now() + 10_000, async () => {
      const listed = await connection.operatorService.listSearchAttributes({ namespace });
      const missing = Object.values(searchAttributes).filter(
        (name) => !Object.hasOwn(listed.customAttributes ?? {}, name),
      );
      if (missing.length === 0) return;
      await connection.operatorService.addSearchAttributes({
        namespace,
        searchAttributes: Object.fromEntries(missing.map((name) => [name, keyword])),
      });
    });
  } catch (error) {
    throw new Failure('EngineUnavailable', {
      side: 'cluster',
      detail: 'search attributes could not be registered',
      cause: error,
    });
  }
}

function isAttributeName(name: string): name is AttributeName {
  return Object.hasOwn(searchAttributes, name);
}
