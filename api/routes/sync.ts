import { z } from '@hono/zod-openapi';
import { Failure } from '../../domain/failure.ts';
import type { Language } from '../../domain/api/status.ts';
import { route, type Route } from '../route.ts';
import { noQuery, objectParameters } from '../schema/parameters.ts';
import { cancelAnswerSchema, syncAnswerSchema } from '../schema/repository.ts';
import { existingRepository } from './repositories.ts';
import { optional } from '../schema/optional.ts';
import type { RouteTools } from './tools.ts';

type Words = Readonly<Record<Language, string>>;
const started: Words = { en: 'Sync started', zh: '同步已开始' };
const joined: Words = { en: 'A sync is running already', zh: '同步正在进行中' };
const cancelled: Words = { en: 'The running sync is being stopped', zh: '正在停止同步' };

const shared = { kind: 'Repository', tag: 'Repositories', params: objectParameters, query: noQuery } as const;
const single = '/namespaces/{ns}/repositories/{name}';

/** Starts a sync now, or joins the one that runs; one that is urgent does not wait for sync windows. */
export const syncRoute = (tools: RouteTools): Route =>
  route(
    {
      ...shared,
      method: 'post',
      path: `${single}/sync`,
      operationId: 'syncRepository',
      summary: 'Sync now',
      query: z.object({ urgent: optional(z.enum(['true', 'false'])) }),
      access: { verb: 'create', resource: 'repositories', subresource: 'sync' },
      answers: { 200: { description: 'The sync runs', schema: syncAnswerSchema } },
    },
    async (call) => {
      const repository = await existingRepository(tools, call.params);
      const key = { namespace: call.params.ns, name: call.params.name };
      const trigger = call.query.urgent === 'true' ? 'urgent' : 'manual';
      const { workflowId, runId, alreadyRunning } = await tools.workflows.startSync(key, trigger);
      await tools.record(call, repository, 'Sync');
      const message = (alreadyRunning ? joined : started)[call.language];
      const body = { success: true, message, workflowId, runId, alreadyRunning };
      return { status: 200, body, workflow: { id: workflowId, runId } };
    },
  );

/** Stops a running sync. */
export const cancelSyncRoute = (tools: RouteTools): Route =>
  route(
    {
      ...shared,
      method: 'post',
      path: `${single}/cancel-sync`,
      operationId: 'cancelSync',
      summary: 'Stop the running sync',
      access: { verb: 'create', resource: 'repositories', subresource: 'sync' },
      answers: { 200: { description: 'It is being stopped', schema: cancelAnswerSchema } },
    },
    async (call) => {
      const repository = await existingRepository(tools, call.params);
      const key = { namespace: call.params.ns, name: call.params.name };
      const found = await tools.workflows.cancelSync(key);
      if (!found) throw new Failure('Conflict', { side: 'caller', detail: 'no sync is running' });
      await tools.record(call, repository, 'CancelSync');
      return { status: 200, body: { success: true, message: cancelled[call.language] } };
    },
  );
