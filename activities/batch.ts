import { Context } from '@temporalio/activity';
import type { BatchItem } from '../domain/batch/operation.ts';
import { Failure } from '../domain/failure.ts';
import { apiGroup, apiVersion } from '../domain/resources/meta.ts';
import type { EventRecorder, ResourceClients } from '../infra/kubernetes/cluster.ts';
import type { WorkflowGateway } from '../infra/temporal/gateway.ts';
import type { StepAudit, StepFact } from './step-audit.ts';

/** What the batch's step is handed. */
export interface BatchDependencies {
  readonly resources: ResourceClients;
  readonly events: EventRecorder;
  readonly gateway: Pick<WorkflowGateway, 'startSync' | 'startVerify'>;
  readonly audit: StepAudit;
}

/** The one step of a batch. */
export interface BatchActivities {
  runBatchItem(item: BatchItem, requestedBy: string): Promise<void>;
}

/** Binds the step to what it needs. */
export function createBatchActivities(deps: BatchDependencies): BatchActivities {
  return {
    runBatchItem: (item, requestedBy) =>
      deps.audit.around(factOf(item, requestedBy), () => runBatchItem(deps, item, requestedBy)),
  };
}

function factOf({ operation, resource, namespace, name }: BatchItem, onBehalfOf: string): StepFact {
  return { verb: operation, object: { resource, namespace, name }, onBehalfOf, trigger: 'batch' };
}

/** Does one item. Done twice it does nothing more: what a try before has created or deleted counts as done. */
async function runBatchItem(deps: BatchDependencies, item: BatchItem, requestedBy: string): Promise<void> {
  const ref = { namespace: item.namespace, name: item.name };
  switch (item.operation) {
    case 'create':
      return createItem(deps, item, requestedBy);
    case 'delete':
      return deleteItem(deps, item, requestedBy);
    case 'sync':
      return void (await deps.gateway.startSync(ref, 'batch'));
    case 'verify':
      return void (await deps.gateway.startVerify(ref));
  }
}

async function createItem(deps: BatchDependencies, item: BatchItem, requestedBy: string): Promise<void> {
  if (item.create === undefined) throw new Failure('InvalidRequest', { side: 'caller', subject: item.name });
  const object = { apiVersion: `${apiGroup}/${apiVersion}`, kind: 'Repository', ...item.create } as const;
  try {
    const { metadata } = await deps.resources.resource('repositories').create(object);
    await tell(
      deps,
      item,
      metadata.uid ?? '',
      `${requestedBy}: CreateRepository Repository ${item.name}: success`,
    );
  } catch (error) {
    if (!isRepeated(error, 'AlreadyExists')) throw error;
  }
}

async function deleteItem(deps: BatchDependencies, item: BatchItem, requestedBy: string): Promise<void> {
  try {
    await deps.resources
      .resource(item.resource)
      .delete({ namespace: item.namespace, name: item.name }, item.uid);
    const kind = item.resource === 'repositories' ? 'Repository' : 'RegistrySecret';
    await tell(deps, item, item.uid ?? '', `${requestedBy}: Delete${kind} ${kind} ${item.name}: success`);
  } catch (error) {
    if (!isRepeated(error, 'NotFound')) throw error;
  }
}

/** On a later try only: at the first one it is the truth. */
function isRepeated(error: unknown, code: 'AlreadyExists' | 'NotFound'): boolean {
  return error instanceof Failure && error.code === code && Context.current().info.attempt > 1;
}

/** An Event that cannot be written does not undo what was done. */
async function tell(deps: BatchDependencies, item: BatchItem, uid: string, message: string): Promise<void> {
  const kind = item.resource === 'repositories' ? 'Repository' : 'RegistrySecret';
  const ref = { namespace: item.namespace, name: item.name };
  const action = `${item.operation === 'create' ? 'Create' : 'Delete'}${kind}`;
  await deps.events.record({ kind, ref, uid }, { type: 'Normal', action, message }).catch(() => {});
}
