import { Failure } from '../../domain/failure.ts';
import { decideRollback, isPinned, pinPatch, rollbackSites } from '../../domain/lifecycle/rollback.ts';
import { parseTag } from '../../domain/names/tag.ts';
import { chooseSites } from '../../domain/sync/site-choice.ts';
import type { Language } from '../../domain/api/status.ts';
import { route, type Route } from '../route.ts';
import {
  doneSchema,
  releaseRequestSchema,
  rollbackAnswerSchema,
  rollbackRequestSchema,
} from '../schema/lifecycle.ts';
import { noQuery, objectParameters } from '../schema/parameters.ts';
import { existingRepository } from './repositories.ts';
import type { RouteTools } from './tools.ts';

type Words = Readonly<Record<Language, string>>;
const finished: Words = { en: 'The earlier version is back', zh: '已回滚到历史版本' };
const goesOn: Words = { en: 'The rollback runs', zh: '回滚正在进行' };
const released: Words = { en: 'The tag follows upstream again', zh: '已解除锁定，标签恢复跟随上游' };

/** Milliseconds that a caller waits to hear how a rollback ended. */
const patienceMs = 15_000;

const shared = {
  kind: 'Repository',
  tag: 'Lifecycle',
  method: 'post',
  access: { verb: 'create', resource: 'repositories', subresource: 'rollback' },
  params: objectParameters,
  query: noQuery,
} as const;

/** Puts an earlier digest back and fences it against the next sync. */
export const rollbackRoute = (tools: RouteTools): Route =>
  route(
    {
      ...shared,
      path: '/namespaces/{ns}/repositories/{name}/rollback',
      operationId: 'rollBackRepository',
      summary: 'Put an earlier version back, and keep it there until it is released',
      body: { schema: rollbackRequestSchema, optional: true },
      answers: { 200: { description: 'It is back, or on its way', schema: rollbackAnswerSchema } },
    },
    async (call) => {
      const repository = await existingRepository(tools, call.params);
      const decision = decideRollback(repository, call.body);
      const { tag, from, to, chosen } = decision;
      rollbackSites(decision, chooseSites(repository.spec, tools.caches.cache('edgesites').list()));
      const ref = { namespace: call.params.ns, name: call.params.name };
      const run = await tools.lifecycle.gateway.startRollback(ref, {
        tag,
        digest: to,
        ...(chosen === undefined ? {} : { sites: chosen }),
      });
      if (run.alreadyRunning)
        throw new Failure('AlreadyRunning', { side: 'caller', subject: run.workflowId });
      const done = await tools.lifecycle.gateway.awaitRollback(run, patienceMs);
      await tools.record(call, repository, 'Rollback');
      const message = (done ? finished : goesOn)[call.language];
      const { workflowId, runId } = run;
      const body = { success: true, message, tag, to, done, workflowId, runId };
      return {
        status: 200,
        body: from === undefined ? body : { ...body, from },
        workflow: { id: workflowId, runId },
      };
    },
  );

/** Lets a tag follow upstream again, and syncs it. */
export const releaseRoute = (tools: RouteTools): Route =>
  route(
    {
      ...shared,
      path: '/namespaces/{ns}/repositories/{name}/release',
      operationId: 'releaseRepository',
      summary: 'End a rollback: the tag follows upstream again',
      body: { schema: releaseRequestSchema, optional: true },
      answers: { 200: { description: 'It follows upstream', schema: doneSchema } },
    },
    async (call) => {
      const repository = await existingRepository(tools, call.params);
      const tag = parseTag(call.body.tag ?? repository.spec.tag);
      if (!isPinned(repository.spec, tag))
        throw new Failure('Conflict', { side: 'caller', subject: tag, detail: 'it is not pinned' });
      const ref = { namespace: call.params.ns, name: call.params.name };
      await tools.clients
        .resource('repositories')
        .patchAsRead(ref, repository.metadata.uid ?? '', ({ spec }) => pinPatch(spec, tag, undefined));
      await tools.workflows.startSync(ref, 'manual');
      await tools.record(call, repository, 'Release');
      return { status: 200, body: { success: true, message: released[call.language] } };
    },
  );
