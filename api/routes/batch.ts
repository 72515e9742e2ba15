import { randomUUID } from 'node:crypto';
import { z } from '@hono/zod-openapi';
import type { BatchProgress, BatchResult } from '../../domain/batch/operation.ts';
import { asFailure, Failure } from '../../domain/failure.ts';
import { batchTargets, planBatch, refusal, type BatchPlan, type ItemTarget } from '../batch-plan.ts';
import { parseBatch, yamlTypes } from '../batch-request.ts';
import { requireEach } from '../require-each.ts';
import type { Call } from '../context.ts';
import { route, type Answer, type Route } from '../route.ts';
import {
  batchAnswerSchema,
  batchOperationSchema,
  batchProgressSchema,
  batchRequestSchema,
} from '../schema/batch.ts';
import { listParameters, noQuery, objectParameters } from '../schema/parameters.ts';
import { storeSecret } from '../store-secret.ts';
import type { RouteTools } from './tools.ts';
import { optional } from '../schema/optional.ts';

const shared = { kind: 'Batch', tag: 'Batches' } as const;
type AnyCall = Call<unknown, unknown, unknown>;

/** Many objects in one call: checked at once, done by a workflow. */
export const batchRoute = (tools: RouteTools): Route =>
  route(
    {
      ...shared,
      method: 'post',
      path: '/namespaces/{ns}/batch',
      operationId: 'startBatch',
      summary: 'Create, delete, sync or verify many, from JSON or multi-document YAML; try with dryRun first',
      access: { verb: 'list', resource: 'repositories' },
      allNamespaces: true,
      params: listParameters,
      query: z.object({
        dryRun: optional(z.enum(['true', 'false'])).openapi({ description: 'Only check. Default: false' }),
        operation: optional(batchOperationSchema).openapi({ description: 'For YAML. Default: create' }),
      }),
      body: {
        // parsed by parseBatch, which knows both forms
        schema: z.unknown(),
        documented: batchRequestSchema,
        contentTypes: ['application/json', ...yamlTypes],
      },
      answers: {
        200: { description: 'What was taken, what was refused and why', schema: batchAnswerSchema },
      },
    },
    async (call) => {
      const request = parseBatch(call.body, call.query.operation);
      const targets = batchTargets(request, call.params.ns);
      await requireAll(call, targets);
      const plan = planBatch(tools, request, targets);
      if (call.query.dryRun === 'true') return answer(true, targets, [...plan.refused, ...plan.noted]);
      return carryOut(tools, call, targets, plan);
    },
  );

/** How far a batch has come, for those who started it and those who may read every item of it. */
export const batchProgressRoute = (tools: RouteTools): Route =>
  route(
    {
      ...shared,
      method: 'get',
      path: '/namespaces/{ns}/batches/{name}',
      operationId: 'getBatch',
      summary: 'How far a batch has come, item by item',
      access: { verb: 'list', resource: 'repositories' },
      allNamespaces: true,
      params: objectParameters,
      query: noQuery,
      answers: { 200: { description: 'Its progress', schema: batchProgressSchema } },
    },
    async (call) => {
      const { params } = call;
      const progress = await tools.workflows.batchProgress(params.name);
      // A batch of things that the caller may not see looks like none: an id must not tell that it exists.
      if (progress === undefined || !(await mayRead(call, progress))) {
        throw new Failure('NotFound', { side: 'caller', subject: `batch ${params.name}` });
      }
      return { status: 200, body: progress };
    },
  );

/** Asked once for each kind and namespace, however many items there are. */
async function mayRead(call: AnyCall, { requestedBy, results }: BatchProgress): Promise<boolean> {
  if (requestedBy === call.caller.username) return true;
  const places = Map.groupBy(results, ({ resource, namespace }) => `${resource} ${namespace}`);
  try {
    for (const [first] of places.values()) {
      if (first === undefined) continue;
      const resource = first.resource === 'registrysecrets' ? 'registrysecrets' : 'repositories';
      await call.require({ verb: 'get', resource, namespace: first.namespace });
    }
    return places.size > 0;
  } catch (error) {
    if (asFailure(error).code === 'AccessDenied') return false;
    throw error;
  }
}

/** One forbidden item refuses the whole batch before anything is looked at (fault P08). */
async function requireAll(call: AnyCall, targets: readonly ItemTarget[]): Promise<void> {
  const questions = targets.map(({ operation, resource, namespace, name }) => {
    const subresource = operation === 'sync' || operation === 'verify' ? { subresource: operation } : {};
    const verb = operation === 'delete' ? 'delete' : 'create';
    return { verb, resource, namespace, name, ...subresource };
  });
  await requireEach(call, questions);
}

/** Credentials are stored here and now, as they must not get into a workflow's history; the rest goes to the workflow. */
async function carryOut(
  tools: RouteTools,
  call: AnyCall,
  targets: readonly ItemTarget[],
  plan: BatchPlan,
): Promise<Answer> {
  const results: BatchResult[] = [...plan.refused, ...plan.noted];
  for (const { index, namespace, request } of plan.secrets) {
    const place = {
      index,
      operation: 'create',
      resource: 'registrysecrets',
      namespace,
      name: request.metadata.name,
    } as const;
    try {
      await storeSecret(tools, call, namespace, request);
      const { operation: _, ...known } = place;
      results.push({ ...known, result: 'Done' });
    } catch (error) {
      results.push(refusal(place, asFailure(error), 'Failed'));
    }
  }
  if (plan.items.length === 0) return answer(false, targets, results);
  const id = randomUUID();
  const run = await tools.workflows.startBatch({ id, requestedBy: call.caller.username, items: plan.items });
  return answer(false, targets, results, { id, ...run });
}

function answer(
  dryRun: boolean,
  targets: readonly ItemTarget[],
  known: readonly BatchResult[],
  run?: { readonly id: string; readonly workflowId: string; readonly runId: string },
): Answer {
  const byIndex = new Map(known.map((result) => [result.index, result]));
  const results = targets.map(
    ({ index, resource, namespace, name }) =>
      byIndex.get(index) ?? { index, resource, namespace, name, result: 'Waiting' },
  );
  const refused = known.filter(({ result }) => result === 'Refused').length;
  const body = { dryRun, total: targets.length, accepted: targets.length - refused, refused, results };
  if (run === undefined) return { status: 200, body };
  const { id, workflowId, runId } = run;
  return { status: 200, body: { ...body, id, workflowId }, workflow: { id: workflowId, runId } };
}
