import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { ApiContext, ApiEnvironment } from '../context.ts';
import { readBody } from '../middleware/body.ts';
import type { Action } from './action.ts';
import { auditView } from './audit-view.ts';
import { batchView } from './batch-view.ts';
import { bundleRows, bundlesView } from './bundles-view.ts';
import { cleanupView } from './cleanup-view.ts';
import { imageActions } from './image-actions.ts';
import { imageDetails } from './image-details.ts';
import { oneImageRow } from './image-row.ts';
import { imageRows, imagesView } from './images-view.ts';
import { lifecycleActions } from './lifecycle-actions.ts';
import type { Markup } from './markup.ts';
import { errorBox } from './notice.ts';
import { consolePage } from './page.ts';
import { planView } from './plan-view.ts';
import { sitesView } from './sites-view.ts';
import { sourceActions } from './source-actions.ts';
import { sourceDetails } from './source-details.ts';
import { sourcesView } from './sources-view.ts';
import { storageView } from './storage-view.ts';
import { Refused, viewerOf, type Viewer } from './viewer.ts';
import { filterBar, namespaceChoice, namespaceOf } from './list-frame.ts';
import { allNamespaces } from '../route.ts';
import { html } from 'hono/html';

const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
const formType = 'application/x-www-form-urlencoded';

const types = { js: 'text/javascript; charset=utf-8', css: 'text/css; charset=utf-8', svg: 'image/svg+xml' };
const files = {
  'console.js': 'js',
  'session.js': 'js',
  'router.js': 'js',
  'live.js': 'js',
  'download.js': 'js',
  'list.js': 'js',
  'console.css': 'css',
  'icon.svg': 'svg',
} as const satisfies Readonly<Record<string, keyof typeof types>>;

const views: Readonly<Record<string, (viewer: Viewer) => Promise<Markup>>> = {
  '/images': imagesView,
  '/images/rows': imageRows,
  '/images/row': oneImageRow,
  '/images/details': imageDetails,
  '/batch': batchView,
  '/sources': sourcesView,
  '/sources/details': sourceDetails,
  '/sites': sitesView,
  '/bundles': bundlesView,
  '/bundles/rows': bundleRows,
  '/cleanup': cleanupView,
  '/cleanup/plan': planView,
  '/storage': storageView,
  '/audit': auditView,
};
const namespaced: ReadonlySet<string> = new Set(['/images', '/sources', '/cleanup']);
const actions: Readonly<Record<string, Action>> = { ...imageActions, ...sourceActions, ...lifecycleActions };

/** The console at `/console`: a page, its files, and fragments that ask the API with the caller's own token. */
export function mountConsole(app: OpenAPIHono<ApiEnvironment>, providers: readonly string[]): void {
  const open = (context: ApiContext): Viewer => viewerOf(app, context, providers);
  app.use('/console/*', async (context, next) => {
    context.set('route', '/console');
    await next();
    context.res.headers.set('Content-Security-Policy', policy);
  });
  app.get('/console', (context) => {
    const wanted = context.req.query('lang');
    context.header('Content-Security-Policy', policy);
    return context.html(consolePage(wanted === 'zh' || wanted === 'en' ? wanted : context.get('language')));
  });
  mountFiles(app);
  for (const [path, view] of Object.entries(views)) {
    app.get(`/console${path}`, (context) => answered(context, open(context), view));
  }
  for (const [path, action] of Object.entries(actions)) {
    app.post(`/console${path}`, async (context) => {
      const body = await readBody(context.req.raw, { contentTypes: [formType] });
      const form = new URLSearchParams(typeof body === 'string' ? body : '');
      return answered(context, open(context), (viewer) => action(viewer, form));
    });
  }
}

function mountFiles(app: OpenAPIHono<ApiEnvironment>): void {
  const assets = join(import.meta.dirname, 'assets');
  const htmx = createRequire(import.meta.url).resolve('htmx.org/dist/htmx.min.js');
  const served = [
    ...Object.entries(files).map(([name, kind]) => [name, join(assets, name), types[kind]] as const),
    ['htmx.js', htmx, types.js] as const,
  ];
  for (const [name, path, type] of served) {
    const content = readFileSync(path, 'utf8');
    app.get(`/console/${name}`, (context) => context.body(content, 200, { 'content-type': type }));
  }
}

/** A fragment, or why there is none. 401 goes out as such, so that the page asks for another token. */
async function answered(
  context: ApiContext,
  viewer: Viewer,
  show: (viewer: Viewer) => Promise<Markup>,
): Promise<Response> {
  try {
    return context.html(await show(viewer));
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const box = await refusal(context, viewer, error);
    return context.html(box, error.status === 401 ? 401 : 200);
  }
}

/** Who may not look into all namespaces is asked for one. */
async function refusal(context: ApiContext, viewer: Viewer, error: Refused): Promise<Markup> {
  const box = errorBox(error, viewer.say);
  const route = context.req.path.slice('/console'.length);
  if (error.status !== 403 || !namespaced.has(route) || namespaceOf(viewer) !== allNamespaces) return box;
  const ask = filterBar(route, viewer.say, [await namespaceChoice(viewer)]);
  return html`<p>${viewer.say('chooseNamespace')}</p>
    ${ask} ${box}`;
}
