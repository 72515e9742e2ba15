import type { Client } from '@temporalio/client';
import type { AuditObject } from '../../domain/audit/record.ts';
import type { ObjectRef } from '../../domain/resources/meta.ts';
import type { SyncTrigger } from '../../domain/resources/repository.ts';
import { createBundleGateway, type BundleGateway } from '../temporal/bundle-gateway.ts';
import type { StartedRun, WorkflowGateway } from '../temporal/gateway.ts';
import { createBundleSchedules, type BundleSchedules } from '../temporal/bundle-schedules.ts';
import { createLifecycleSchedules, type LifecycleSchedules } from '../temporal/lifecycle-schedules.ts';
import type { ScheduleWitness } from '../temporal/schedule-witness.ts';
import { createLifecycleGateway, type LifecycleGateway } from '../temporal/lifecycle-gateway.ts';
import { createWorkflowGateway } from '../temporal/workflow-gateway.ts';
import { ActionAudit, type ActionAuditOptions } from './action-audit.ts';
import { LatestRequests, type LatestRequestsOptions } from './latest-requests.ts';

/** The gateways of a process that acts by itself. */
export interface AuditedGateways {
  readonly workflows: WorkflowGateway;
  readonly lifecycle: LifecycleGateway;
  readonly bundles: BundleGateway;
  readonly schedules: LifecycleSchedules & BundleSchedules;
}

/** Gateways to Temporal whose starts, stops and changes of schedules are in the audit log, under the name of who asked where the log tells. */
export function auditedGateways(
  client: Client,
  options: Omit<ActionAuditOptions, 'requesters'> & Pick<LatestRequestsOptions, 'reader'>,
): AuditedGateways {
  const { reader, actor } = options;
  const audit = new ActionAudit({ ...options, requesters: new LatestRequests({ reader, own: actor.name }) });
  const witness = scheduleWitness(audit);
  return {
    workflows: auditedWorkflows(createWorkflowGateway(client, witness), audit),
    lifecycle: auditedLifecycle(createLifecycleGateway(client), audit),
    bundles: auditedBundles(createBundleGateway(client), audit),
    schedules: { ...createLifecycleSchedules(client, witness), ...createBundleSchedules(client, witness) },
  };
}

/** What people do that makes, changes or ends a schedule. */
const scheduleRequests = ['create', 'update', 'patch', 'delete'];

/** Writes what is done to schedules into the audit log; those that are as wanted are no news. */
export const scheduleWitness =
  (audit: ActionAudit): ScheduleWitness =>
  ({ verb, object, plan, isFirst }, work) =>
    audit.around(
      {
        verb,
        object,
        ...(plan === undefined ? {} : { request: plan }),
        askedBy: isFirst === true ? [] : scheduleRequests,
      },
      work,
      noRun,
    );

/** What people do that leads to a sync, by why it starts; those left out come of nothing that one person did to it. */
const syncRequests: Partial<Readonly<Record<SyncTrigger, readonly string[]>>> = {
  create: ['create'],
  spec: ['update', 'patch', 'create'],
  manual: ['sync'],
  urgent: ['sync'],
};

const repository = (ref: ObjectRef): AuditObject => ({ resource: 'repositories', ...ref });
const policy = (ref: ObjectRef): AuditObject => ({ resource: 'imagecleanuppolicies', ...ref });
const runOf = (run: StartedRun): StartedRun => run;
const noRun = (): undefined => undefined;

/** A gateway whose starts and stops of syncs are in the audit log. A stop of one run is that of a deleted Repository. */
export function auditedWorkflows(gateway: WorkflowGateway, audit: ActionAudit): WorkflowGateway {
  return {
    ...gateway,
    startSync: (ref, trigger, request, isWanted) =>
      audit.around(
        {
          verb: 'start-sync',
          object: repository(ref),
          trigger,
          ...(request === undefined ? {} : { request }),
          repeats: true,
          askedBy: syncRequests[trigger] ?? [],
        },
        () => gateway.startSync(ref, trigger, request, isWanted),
        runOf,
      ),
    cancelSync: (ref, runId) =>
      audit.around(
        {
          verb: 'stop-sync',
          object: repository(ref),
          trigger: runId === undefined ? 'manual' : 'delete',
          askedBy: runId === undefined ? ['cancel-sync'] : ['delete'],
        },
        () => gateway.cancelSync(ref, runId),
        noRun,
      ),
  };
}

/** A gateway whose starts, stops and approvals of cleanups and starts of rollbacks are in the audit log. */
function auditedLifecycle(gateway: LifecycleGateway, audit: ActionAudit): LifecycleGateway {
  return {
    ...gateway,
    startCleanup: (ref, trigger) =>
      audit.around(
        { verb: 'start-cleanup', object: policy(ref), trigger, askedBy: ['cleanup'] },
        () => gateway.startCleanup(ref, trigger),
        runOf,
      ),
    approvePlan: (ref, approval) =>
      audit.around(
        { verb: 'approve-cleanup', object: policy(ref), request: approval.hash, askedBy: ['approve'] },
        () => gateway.approvePlan(ref, approval),
        noRun,
      ),
    cancelCleanup: (ref) =>
      audit.around(
        { verb: 'stop-cleanup', object: policy(ref), trigger: 'delete', askedBy: ['delete'] },
        () => gateway.cancelCleanup(ref),
        noRun,
      ),
    startRollback: (ref, request) =>
      audit.around(
        {
          verb: 'start-rollback',
          object: repository(ref),
          trigger: 'manual',
          request: JSON.stringify(request),
          askedBy: ['rollback'],
        },
        () => gateway.startRollback(ref, request),
        runOf,
      ),
  };
}

/** A gateway whose starts of stagings are in the audit log. */
function auditedBundles(gateway: BundleGateway, audit: ActionAudit): BundleGateway {
  return {
    startStage: (order, delayMs) =>
      audit.around(
        {
          verb: 'start-stage',
          object: { resource: 'edgesites', name: order.site },
          trigger: order.trigger ?? 'demand',
          request: order.kind,
          repeats: order.trigger === 'sync',
          askedBy: order.trigger === undefined ? ['stage'] : [],
        },
        () => gateway.startStage(order, delayMs),
        runOf,
      ),
  };
}
