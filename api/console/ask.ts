import { html } from 'hono/html';
import type { ApiContext } from '../context.ts';
import { basePath } from '../mount.ts';

/** Calls the API in-process. The console has no right of its own: the caller's token is passed on as it came. */
export type Ask = (
  context: ApiContext,
  method: string,
  path: string,
  body?: { readonly type: string; readonly text: string },
) => Promise<Response>;

/** What of the app the console needs. */
export interface InnerApp {
  request(path: string, init: RequestInit, env: ApiContext['env']): Response | Promise<Response>;
}

/** Asks through the app itself, so that sign-in, rights, limits and audit are those of any client. */
export function askThrough(app: InnerApp): Ask {
  return async (context, method, path, body) => {
    const headers: Record<string, string> = {
      authorization: context.req.header('authorization') ?? '',
      'accept-language': context.get('language'),
      'user-agent': 'imageferry-console',
      ...(body === undefined ? {} : { 'content-type': body.type }),
    };
    const init = { method, headers, ...(body === undefined ? {} : { body: body.text }) };
    return app.request(basePath + path, init, context.env);
  };
}

/** A body of JSON. */
export const jsonBody = (value: object) => ({ type: 'application/json', text: JSON.stringify(value) });

/** What went wrong, in the words that the API gave. */
export async function errorBox(response: Response): Promise<string> {
  const status: unknown = await response.json().catch(() => undefined);
  const message =
    typeof status === 'object' && status !== null && 'message' in status ? String(status.message) : '';
  return String(await html`<p class="error">${response.status} ${message}</p>`);
}
