import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { ApiContext, ApiEnvironment } from '../context.ts';
import { imageActions } from './actions.ts';
import { askThrough, errorBox, type Ask } from './ask.ts';
import { imageDetails } from './image-details.ts';
import { imageRows, imagesPerPage, imagesView, type ImageQuery } from './images-view.ts';
import { consolePage, type Markup } from './page.ts';
import { sourcesView } from './sources-view.ts';
import type { Repository } from '../../domain/resources/repository.ts';
import type { RegistrySecret } from '../../domain/resources/registry-secret.ts';

const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
const assets = join(import.meta.dirname, 'assets');
const files: Readonly<Record<string, readonly [string, string]>> = {
  'console.js': [join(assets, 'console.js'), 'text/javascript; charset=utf-8'],
  'console.css': [join(assets, 'console.css'), 'text/css; charset=utf-8'],
  'htmx.js': [
    createRequire(import.meta.url).resolve('htmx.org/dist/htmx.min.js'),
    'text/javascript; charset=utf-8',
  ],
};

/** The console at `/console`: a page, its files, and fragments that ask the API with the caller's own token. */
export function mountConsole(app: OpenAPIHono<ApiEnvironment>): void {
  const ask = askThrough(app);
  app.use('/console/*', async (context, next) => {
    context.set('route', '/console');
    await next();
    context.res.headers.set('Content-Security-Policy', policy);
  });
  app.get('/console', (context) => {
    context.header('Content-Security-Policy', policy);
    return context.html(consolePage(context.get('language')));
  });
  for (const [name, [path, type]] of Object.entries(files)) {
    const content = readFileSync(path, 'utf8');
    app.get(`/console/${name}`, (context) => context.body(content, 200, { 'content-type': type }));
  }
  mountViews(app, ask);
  imageActions(app, ask);
}

function mountViews(app: OpenAPIHono<ApiEnvironment>, ask: Ask): void {
  app.get('/console/sources', (context) =>
    view<RegistrySecret>(context, ask, '/namespaces/_all_/registry-secrets?limit=500', (items, total) =>
      sourcesView(items, total, context.get('language')),
    ),
  );
  app.get('/console/images', (context) => images(context, ask, imagesView));
  app.get('/console/images/rows', (context) => images(context, ask, imageRows));
  app.get('/console/images/details', async (context) => {
    const { ns = '', name = '' } = context.req.query();
    const path = `/namespaces/${encodeURIComponent(ns)}/repositories/${encodeURIComponent(name)}`;
    const response = await ask(context, 'GET', path);
    if (!response.ok) return context.html(errorBox(response));
    return context.html(imageDetails((await response.json()) as Repository, context.get('language')));
  });
}

function images(context: ApiContext, ask: Ask, show: typeof imagesView): Promise<Response> {
  const { ns = '', search = '', page = '1' } = context.req.query();
  const query: ImageQuery = {
    ns: ns === '' ? '_all_' : ns,
    search,
    page: Math.max(1, Number.parseInt(page, 10) || 1),
  };
  const parameters = new URLSearchParams({ search, page: String(query.page), limit: String(imagesPerPage) });
  const path = `/namespaces/${encodeURIComponent(query.ns)}/repositories?${parameters.toString()}`;
  return view<Repository>(context, ask, path, (items, total) =>
    show(items, total, query, context.get('language')),
  );
}

interface ListBody<T> {
  readonly items: readonly T[];
  readonly totalItems: number;
}

type Show<T> = (items: readonly T[], total: number) => Markup;

/** Shows a list of the API's, whose shape the API's own schema promises; or why it could not be had. */
async function view<T extends Repository | RegistrySecret>(
  context: ApiContext,
  ask: Ask,
  path: string,
  show: Show<T>,
): Promise<Response> {
  const response = await ask(context, 'GET', path);
  if (!response.ok) return context.html(errorBox(response));
  const { items, totalItems } = (await response.json()) as ListBody<T>;
  return context.html(show(items, totalItems));
}
