import { ParentClosePolicy } from '@temporalio/workflow';
import { defineSearchAttributeKey } from '@temporalio/common';
import type { ObjectRef } from '../domain/resources/meta.ts';
import type { SyncTrigger } from '../domain/resources/repository.ts';
import { hubTaskQueue, searchAttributes, syncWorkflowId } from '../domain/sync/ids.ts';
import type { SyncInput } from '../domain/sync/input.ts';

/** How a workflow starts a Repository's sync: under its one id, found by what it is about, and outliving whoever started it. */
export const childSync = (ref: ObjectRef, trigger: SyncTrigger) => ({
  workflowId: syncWorkflowId(ref),
  taskQueue: hubTaskQueue,
  args: [{ ref, trigger }] satisfies [SyncInput],
  parentClosePolicy: ParentClosePolicy.ABANDON,
  staticSummary: `Sync ${ref.namespace}/${ref.name} (${trigger})`,
  typedSearchAttributes: [
    keyword('namespace', ref.namespace),
    keyword('repository', ref.name),
    keyword('trigger', trigger),
  ],
});

const keyword = (name: keyof typeof searchAttributes, value: string) => ({
  key: defineSearchAttributeKey(searchAttributes[name], 'KEYWORD'),
  value,
});
