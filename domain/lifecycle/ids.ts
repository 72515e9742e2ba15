import type { ObjectRef } from '../resources/meta.ts';

/** Workflow types of the lifecycle, as clients and schedules name them. */
export const lifecycleWorkflows = {
  cleanup: 'cleanup',
  scheduledCleanup: 'scheduledCleanup',
  rollback: 'rollback',
  scrub: 'scrub',
  recordUsage: 'recordUsage',
  measureStorage: 'measureStorage',
  siteUsage: 'siteUsage',
} as const;

/** Workflow id of a policy's cleanup: one at a time. */
export const cleanupWorkflowId = (ref: ObjectRef): string => `cleanup/${ref.namespace}/${ref.name}`;
/** What the ids of all cleanup schedules begin with. */
export const cleanupSchedules = 'cleanup-schedule/';
/** Schedule id of a policy's cleanup. */
export const cleanupScheduleId = (ref: ObjectRef): string =>
  `${cleanupSchedules}${ref.namespace}/${ref.name}`;
/** Workflow id of a Repository's rollback. */
export const rollbackWorkflowId = (ref: ObjectRef): string => `rollback/${ref.namespace}/${ref.name}`;
/** Schedule id of the look at what is in use. */
export const usageScheduleId = 'usage';
/** Workflow id of the question what a site uses: one at a time. */
export const siteUsageWorkflowId = (site: string): string => `usage/${site}`;
/** Key of the document that holds a policy's last plan. */
export const planDocument = (ref: ObjectRef): string => `plan/${ref.namespace}/${ref.name}`;
/** The policy whose plan such a key is of; undefined for keys of other documents. */
export function planOwner(key: string): ObjectRef | undefined {
  const [kind, namespace, name] = key.split('/');
  return kind !== 'plan' || namespace === undefined || name === undefined ? undefined : { namespace, name };
}
/** Key of the document that holds what is stored where. */
export const storageDocument = 'storage';
/** Schedule id of adding up what the sites store. */
export const storageScheduleId = 'storage';
/** Schedule id of the scrub. */
export const scrubScheduleId = 'scrub';
