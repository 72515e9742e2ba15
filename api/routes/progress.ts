import { z } from '@hono/zod-openapi';
import type { Repository } from '../../domain/resources/repository.ts';
import { accessQuestion, route, type Route, type RouteAccess } from '../route.ts';
import { noQuery, objectParameters } from '../schema/parameters.ts';
import { existingRepository } from './repositories.ts';
import type { RouteTools } from './tools.ts';

/** One event of the stream, as the document tells of it. */
const eventSchema = z.object({
  event: z.literal('progress'),
  data: z.string().openapi({ description: 'JSON: syncStatus, syncProgress, lastSynced, message' }),
});

/** Milliseconds between signs of life, and between checks that the caller may still look (faults.md, 4.1.8). */
const pingMs = 10_000;
const recheckMs = 60_000;
const access: RouteAccess = { verb: 'watch', resource: 'repositories' };

/** A Repository's progress as it changes, as server-sent events. */
export const progressRoute = (tools: RouteTools): Route =>
  route(
    {
      kind: 'Repository',
      tag: 'Repositories',
      method: 'get',
      path: '/namespaces/{ns}/repositories/{name}/progress',
      operationId: 'watchProgress',
      summary:
        'Live progress as server-sent events; each event holds syncStatus, syncProgress, digest and lastSynced',
      access,
      params: objectParameters,
      query: noQuery,
      answers: {
        200: {
          description: 'Events until the caller hangs up',
          schema: eventSchema,
          contentTypes: ['text/event-stream'],
        },
      },
    },
    async (call) => {
      const repository = await existingRepository(tools, call.params);
      const { uid } = repository.metadata;
      const recheck = async (): Promise<void> => {
        await call.stillSignedIn();
        await call.require(accessQuestion(access, call.params));
      };
      const source = eventStream(call.signal, recheck, (send, end) => {
        send(progressEvent(repository));
        return tools.repositoryChanges.watch((object, gone) => {
          if (object.metadata.uid !== uid) return;
          if (gone) end('event: gone\ndata: {}\n\n');
          else send(progressEvent(object));
        });
      });
      return { status: 200, stream: { type: 'text/event-stream; charset=utf-8', source } };
    },
  );

function progressEvent(repository: Repository): string {
  const { syncStatus = '', syncProgress = '', digest, lastSynced, sites } = repository.status ?? {};
  const synced = repository.status?.conditions?.find(({ type }) => type === 'Synced');
  const data = {
    syncStatus,
    syncProgress,
    digest,
    lastSynced,
    sites,
    reason: synced?.reason,
    message: synced?.message,
  };
  return `event: progress\ndata: ${JSON.stringify(data)}\n\n`;
}

type Subscribe = (send: (event: string) => void, end: (event: string) => void) => () => void;

/**
 * A stream that keeps only the newest event for a reader who is slow, so that its memory does not grow. It ends when the
 * caller hangs up, when `recheck` refuses, or when the subscription says so.
 */
function eventStream(
  signal: AbortSignal,
  recheck: () => Promise<void>,
  subscribe: Subscribe,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const encoder = new TextEncoder();
  let stop = (): void => {};
  let waiting: string | undefined;
  let last = '';
  let isOpen = true;
  return new ReadableStream({
    start(controller) {
      const flush = (): void => {
        if (waiting === undefined || (controller.desiredSize ?? 0) <= 0) return;
        controller.enqueue(encoder.encode(waiting));
        waiting = undefined;
      };
      const send = (event: string): void => {
        if (event === last || !isOpen) return;
        if (event.startsWith('event:')) last = event;
        waiting = event;
        flush();
      };
      // A check that is under way when the caller hangs up may refuse afterwards: a stream is closed once.
      const close = (): void => {
        if (!isOpen) return;
        stop();
        controller.close();
      };
      const ping = setInterval(() => {
        if (waiting === undefined) send(': still here\n\n');
        else flush();
      }, pingMs);
      const check = setInterval(() => void recheck().catch(close), recheckMs);
      const unsubscribe = subscribe(send, (event) => {
        if (!isOpen) return;
        controller.enqueue(encoder.encode(event));
        close();
      });
      stop = () => {
        isOpen = false;
        clearInterval(ping);
        clearInterval(check);
        unsubscribe();
        signal.removeEventListener('abort', close);
        stop = () => {};
      };
      signal.addEventListener('abort', close, { once: true });
    },
    cancel: () => stop(),
  });
}
