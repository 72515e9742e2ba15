import type { ObjectRef } from '../resources/meta.ts';

/** Task queue of the hub's workflows and light activities. */
export const hubTaskQueue = 'imageferry';
/** Task queue of the hub's copy lanes. */
export const copyTaskQueue = 'imageferry-copy';

/** Task queue of a site's own worker. */
export const siteTaskQueue = (site: string): string => `site-${site}`;
/** Workflow id of a Repository's sync. */
export const syncWorkflowId = (ref: ObjectRef): string => `sync/${ref.namespace}/${ref.name}`;
/** What the ids of all resync schedules begin with. */
export const resyncSchedules = 'resync/';
/** Schedule id of a Repository's resync. */
export const resyncScheduleId = (ref: ObjectRef): string => `${resyncSchedules}${ref.namespace}/${ref.name}`;
/** Workflow id of a batch. */
export const batchWorkflowId = (id: string): string => `batch/${id}`;
/** Workflow id of a RegistrySecret's verification. */
export const verifyWorkflowId = (ref: ObjectRef): string => `verify/${ref.namespace}/${ref.name}`;

/** Names of the search attributes, all keywords. */
export const searchAttributes = {
  namespace: 'ImageferryNamespace',
  repository: 'ImageferryRepository',
  registry: 'ImageferryRegistry',
  site: 'ImageferrySite',
  digest: 'ImageferryDigest',
  trigger: 'ImageferryTrigger',
  /** On Schedules: id of the key that seals what they start with. */
  seal: 'ImageferrySeal',
} as const;
