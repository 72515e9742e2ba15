import type { OpenAPIHono } from '@hono/zod-openapi';
import { html } from 'hono/html';
import { annotationPrefix } from '../../domain/resources/meta.ts';
import type { ApiContext, ApiEnvironment } from '../context.ts';
import { readBody } from '../middleware/body.ts';
import { errorBox, jsonBody, type Ask } from './ask.ts';
import { wordsIn } from './words.ts';

const formType = 'application/x-www-form-urlencoded';

/** What the console's buttons do: each is one call of the API, answered with its words. */
export function imageActions(app: OpenAPIHono<ApiEnvironment>, ask: Ask): void {
  sourceActions(app, ask);
  app.post('/console/images/sync', (context) =>
    told(context, ask(context, 'POST', `${image(context)}/sync`)),
  );
  app.post('/console/images/edit', async (context) => {
    const fields = await form(context);
    const edit = {
      displayName: fields.get('displayName') ?? '',
      description: fields.get('description') ?? '',
    };
    return told(context, ask(context, 'PATCH', image(context), jsonBody(edit)));
  });
  app.post('/console/images/delete', async (context) => {
    const fields = await form(context);
    if (fields.get('confirm') !== context.req.query('name')) return notConfirmed(context);
    return told(context, ask(context, 'DELETE', image(context)));
  });
  app.post('/console/images/delete-many', async (context) => {
    const fields = await form(context);
    const selected = fields.getAll('selected');
    if (selected.length === 0 || fields.get('confirm') !== String(selected.length))
      return notConfirmed(context);
    const items = selected.map((key) => {
      const [namespace = '', name = ''] = key.split('/');
      return { metadata: { namespace, name } };
    });
    return told(
      context,
      ask(context, 'POST', '/namespaces/_all_/batch', jsonBody({ operation: 'delete', items })),
    );
  });
  app.post('/console/images/yaml', async (context) => {
    const fields = await form(context);
    const namespace = encodeURIComponent(fields.get('namespace') ?? '');
    const body = { type: 'application/yaml', text: fields.get('yaml') ?? '' };
    return told(context, ask(context, 'POST', `/namespaces/${namespace}/batch`, body));
  });
}

function sourceActions(app: OpenAPIHono<ApiEnvironment>, ask: Ask): void {
  app.post('/console/sources/add', async (context) => {
    const fields = await form(context);
    const [name, displayName] = [fields.get('name') ?? '', fields.get('displayName') ?? ''];
    const annotations = displayName === '' ? {} : { [`${annotationPrefix}display-name`]: displayName };
    const object = {
      metadata: { name, annotations },
      spec: { ...credential(fields), provider: fields.get('provider') },
    };
    const namespace = encodeURIComponent(fields.get('namespace') ?? '');
    return told(context, ask(context, 'POST', `/namespaces/${namespace}/registry-secrets`, jsonBody(object)));
  });
  app.post('/console/sources/test', async (context) => {
    const fields = await form(context);
    const namespace = encodeURIComponent(fields.get('namespace') ?? '');
    const name = encodeURIComponent(fields.get('name') || 'new');
    const body = jsonBody({ ...credential(fields), provider: fields.get('provider') });
    return told(
      context,
      ask(context, 'POST', `/namespaces/${namespace}/registry-secrets/${name}/verify`, body),
    );
  });
  app.post('/console/sources/verify', (context) =>
    told(context, ask(context, 'POST', `${source(context)}/verify`, jsonBody({}))),
  );
  app.post('/console/sources/delete', async (context) => {
    const fields = await form(context);
    if (fields.get('confirm') !== context.req.query('name')) return notConfirmed(context);
    return told(context, ask(context, 'DELETE', source(context)));
  });
}

const credential = (fields: URLSearchParams) => ({
  domain: fields.get('domain'),
  username: fields.get('username'),
  password: fields.get('password'),
});

const image = (context: ApiContext): string => objectPath(context, 'repositories');
const source = (context: ApiContext): string => objectPath(context, 'registry-secrets');

function objectPath(context: ApiContext, collection: string): string {
  const { ns = '', name = '' } = context.req.query();
  return `/namespaces/${encodeURIComponent(ns)}/${collection}/${encodeURIComponent(name)}`;
}

async function form(context: ApiContext): Promise<URLSearchParams> {
  const body = await readBody(context.req.raw, { contentTypes: [formType] });
  return new URLSearchParams(typeof body === 'string' ? body : '');
}

/** The API's message, or that it is done. */
async function told(context: ApiContext, asked: Promise<Response>): Promise<Response> {
  const response = await asked;
  if (!response.ok) return context.html(errorBox(response));
  const body: unknown = response.status === 204 ? {} : await response.json();
  const said = typeof body === 'object' && body !== null ? body : {};
  const message = 'message' in said ? String(said.message) : wordsIn(context.get('language'))('done');
  const refused = 'refused' in said && Number(said.refused) > 0 ? ` (${Number(said.refused)} ✗)` : '';
  const failed = 'success' in said && said.success === false;
  return context.html(html`<p class="${failed ? 'error' : ''}">${message}${refused}</p>`);
}

function notConfirmed(context: ApiContext): Response | Promise<Response> {
  return context.html(html`<p class="error">${wordsIn(context.get('language'))('confirmWrong')}</p>`);
}
