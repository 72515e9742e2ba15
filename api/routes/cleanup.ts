import { z } from '@hono/zod-openapi';
import type { Language } from '../../domain/api/status.ts';
import { Failure } from '../../domain/failure.ts';
import { parseLimit, parsePage } from '../../domain/api/list-query.ts';
import { cutPage } from '../../domain/api/list-view.ts';
import { reachesBeyond } from '../../domain/lifecycle/cleanup-scope.ts';
import type { PlanRecord } from '../../domain/lifecycle/cleanup-run.ts';
import type { ParkedItem } from '../../domain/lifecycle/parking.ts';
import type { PlanItem } from '../../domain/lifecycle/plan.ts';
import { planDocument } from '../../domain/lifecycle/ids.ts';
import type { ImageCleanupPolicy } from '../../domain/resources/image-cleanup-policy.ts';
import { present } from '../objects.ts';
import { allNamespaces, route, type Route } from '../route.ts';
import { cleanupPolicyListSchema } from '../schema/cleanup-policy.ts';
import {
  approveRequestSchema,
  doneSchema,
  type planItemSchema,
  planSchema,
  restoreAnswerSchema,
  restoreRequestSchema,
} from '../schema/lifecycle.ts';
import { groupVersion } from '../schema/meta.ts';
import { listParameters, listQuerySchema, noQuery, objectParameters } from '../schema/parameters.ts';
import { syncAnswerSchema } from '../schema/repository.ts';
import type { RouteTools } from './tools.ts';
import { optional } from '../schema/optional.ts';

type Words = Readonly<Record<Language, string>>;
const started: Words = { en: 'The cleanup runs', zh: '清理任务已开始' };
const approved: Words = { en: 'The plan is approved and runs', zh: '清理计划已审批，开始执行' };

const kind = 'ImageCleanupPolicy';
const shared = { kind, tag: 'Lifecycle', params: objectParameters } as const;
const single = '/namespaces/{ns}/image-cleanup-policies/{name}';
const steer = (subresource: string) =>
  ({ verb: 'create', resource: 'imagecleanuppolicies', subresource }) as const;

/** Every route about cleanup. */
export const cleanupRoutes = (tools: RouteTools): readonly Route[] => [
  listRoute(tools),
  planRoute(tools),
  runRoute(tools),
  approveRoute(tools),
  restoreRoute(tools),
];

const listRoute = (tools: RouteTools): Route =>
  route(
    {
      kind,
      tag: 'Lifecycle',
      method: 'get',
      path: '/namespaces/{ns}/image-cleanup-policies',
      operationId: 'listCleanupPolicies',
      summary: 'Cleanup policies of a namespace, or of all, by name',
      access: { verb: 'list', resource: 'imagecleanuppolicies' },
      allNamespaces: true,
      params: listParameters,
      query: listQuerySchema.pick({ page: true, limit: true }),
      answers: { 200: { description: 'One page', schema: cleanupPolicyListSchema } },
    },
    async ({ params, query }) => {
      const namespace = params.ns === allNamespaces ? undefined : params.ns;
      const all = [...(await tools.clients.resource('imagecleanuppolicies').list(namespace))];
      all.sort((one, other) => keyOfPolicy(one).localeCompare(keyOfPolicy(other)));
      const page = cutPage(all, { page: parsePage(query.page), limit: parseLimit(query.limit) });
      const items = page.items.map(present);
      const { totalItems } = page;
      const body = { apiVersion: groupVersion, kind: 'ImageCleanupPolicyList', items, totalItems };
      return { status: 200, body };
    },
  );

const planRoute = (tools: RouteTools): Route =>
  route(
    {
      ...shared,
      method: 'get',
      path: `${single}/plan`,
      operationId: 'getCleanupPlan',
      summary: 'The last plan: every tag that was looked at, what happens to it and why',
      access: { verb: 'get', resource: 'imagecleanuppolicies' },
      query: listQuerySchema.pick({ page: true, limit: true, search: true }).extend({
        action: optional(z.enum(['keep', 'delete'])),
      }),
      answers: { 200: { description: 'One page', schema: planSchema } },
    },
    async ({ params, query }) => {
      await existingPolicy(tools, params);
      const record = await readPlan(tools, { namespace: params.ns, name: params.name });
      const states = new Map(record.items.map((item) => [keyOf(item.deletion), item]));
      const wanted = record.plan.items.filter(
        ({ action, tag, path }) =>
          (query.action === undefined || action === query.action) &&
          (query.search === undefined || `${path}:${tag}`.includes(query.search)),
      );
      const page = cutPage(wanted, { page: parsePage(query.page), limit: parseLimit(query.limit) });
      const items = page.items.map((item) => shownItem(item, states.get(keyOf(item))));
      const { hash, holds, plan } = record;
      const body = {
        apiVersion: groupVersion,
        kind: 'CleanupPlan',
        hash,
        created: plan.created,
        holds,
        items,
      };
      return { status: 200, body: { ...body, totalItems: page.totalItems } };
    },
  );

const runRoute = (tools: RouteTools): Route =>
  route(
    {
      ...shared,
      method: 'post',
      path: `${single}/run`,
      operationId: 'runCleanup',
      summary: 'Plan now, and go on as the policy says',
      access: steer('run'),
      query: noQuery,
      answers: { 200: { description: 'It runs', schema: syncAnswerSchema } },
    },
    async (call) => {
      const policy = await existingPolicy(tools, call.params);
      const run = await tools.lifecycle.gateway.startCleanup(refOf(call.params), 'manual');
      await tools.record(call, policy, 'RunCleanup');
      const { workflowId, runId } = run;
      const body = { success: true, message: started[call.language], ...run };
      return { status: 200, body, workflow: { id: workflowId, runId } };
    },
  );

const approveRoute = (tools: RouteTools): Route =>
  route(
    {
      ...shared,
      method: 'post',
      path: `${single}/approve`,
      operationId: 'approveCleanup',
      summary:
        'Approve exactly the plan with this hash; it needs the right to delete in every namespace it reaches',
      access: steer('approve'),
      query: noQuery,
      body: { schema: approveRequestSchema },
      answers: { 200: { description: 'It is approved', schema: doneSchema } },
    },
    async (call) => {
      const policy = await existingPolicy(tools, call.params);
      for (const namespace of reachesBeyond(policy))
        await call.require({ verb: 'delete', resource: 'imagecleanuppolicies', namespace });
      await tools.lifecycle.gateway.approvePlan(refOf(call.params), { hash: call.body.hash, by: 'api' });
      await tools.record(call, policy, 'ApproveCleanup');
      return { status: 200, body: { success: true, message: approved[call.language] } };
    },
  );

const restoreRoute = (tools: RouteTools): Route =>
  route(
    {
      ...shared,
      method: 'post',
      path: `${single}/restore`,
      operationId: 'restoreTags',
      summary: 'Put parked tags back: those that are named, else all',
      access: steer('restore'),
      query: noQuery,
      body: { schema: restoreRequestSchema, optional: true },
      answers: { 200: { description: 'How things are now', schema: restoreAnswerSchema } },
    },
    async (call) => {
      const policy = await existingPolicy(tools, call.params);
      const summary = await tools.lifecycle.gateway.restoreTags(refOf(call.params), call.body.tags ?? []);
      await tools.record(call, policy, 'RestoreTags');
      return { status: 200, body: summary };
    },
  );

function shownItem(
  { site, image, path, tag, digest, action, reason, bytes }: PlanItem,
  step: ParkedItem | undefined,
): z.output<typeof planItemSchema> {
  const { state, detail } = step ?? {};
  return {
    site,
    image,
    path,
    tag,
    digest,
    action,
    reason,
    bytes,
    ...(state === undefined ? {} : { state }),
    ...(detail === undefined ? {} : { detail }),
  };
}

type Named = { readonly ns: string; readonly name: string };
const keyOfPolicy = ({ metadata }: ImageCleanupPolicy) => `${metadata.namespace ?? ''}/${metadata.name}`;
const refOf = ({ ns, name }: Named) => ({ namespace: ns, name });
const keyOf = ({ site, path, tag }: { readonly site: string; readonly path: string; readonly tag: string }) =>
  JSON.stringify([site, path, tag]);

async function existingPolicy(tools: RouteTools, params: Named): Promise<ImageCleanupPolicy> {
  const policy = await tools.clients.resource('imagecleanuppolicies').get(refOf(params));
  if (policy !== undefined) return policy;
  throw new Failure('NotFound', { side: 'caller', subject: `imagecleanuppolicies ${params.name}` });
}

async function readPlan(
  tools: RouteTools,
  ref: { readonly namespace: string; readonly name: string },
): Promise<PlanRecord> {
  const text = await tools.lifecycle.documents.read(planDocument(ref));
  if (text === undefined) throw new Failure('NotFound', { side: 'caller', subject: 'there is no plan yet' });
  return JSON.parse(text) as PlanRecord;
}
