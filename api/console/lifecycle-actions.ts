import { humanSize } from '../../domain/human-size.ts';
import type { ImageBundle } from '../../domain/resources/image-bundle.ts';
import type { Action } from './action.ts';
import { awaitedRows } from './bundles-view.ts';
import type { Markup } from './markup.ts';
import { notice, warning } from './notice.ts';
import { jsonBody, objectPath, type ListBody, type Viewer } from './viewer.ts';

/** What is done with cleanup plans and bundles: each is one call of the API, answered with its words. */
export const lifecycleActions: Readonly<Record<string, Action>> = {
  '/cleanup/run': (viewer) => cleanup(viewer, 'run', {}),
  '/cleanup/approve': (viewer, form) => cleanup(viewer, 'approve', { hash: form.get('hash') ?? '' }),
  '/cleanup/restore': restore,
  '/bundles/stage': stage,
  '/bundles/receipt': receipt,
};

const policyPath = ({ query }: Viewer): string =>
  objectPath('image-cleanup-policies', query('ns'), query('name'));

async function cleanup(viewer: Viewer, operation: 'run' | 'approve', body: object): Promise<Markup> {
  const { message } = await viewer.send('POST', `${policyPath(viewer)}/${operation}`, jsonBody(body));
  return notice(String(message), { refresh: true });
}

async function restore(viewer: Viewer, form: URLSearchParams): Promise<Markup> {
  const { say } = viewer;
  const body = form.has('tag') ? { tags: form.getAll('tag') } : {};
  const told = await viewer.send('POST', `${policyPath(viewer)}/restore`, jsonBody(body));
  const words = `${Number(told['restored'])} ${say('restored')}, ${say('freed')} ${humanSize(Number(told['freedBytes']))}`;
  return notice(words, { refresh: true });
}

const bundlesPath = ({ query }: Viewer): string => `/sites/${encodeURIComponent(query('site'))}`;

async function stage(viewer: Viewer): Promise<Markup> {
  const path = `${bundlesPath(viewer)}/bundles`;
  const { items } = await viewer.get<ListBody<ImageBundle>>(`${path}?limit=500`);
  const last = Math.max(0, ...items.map(({ spec }) => spec.sequence));
  const { message } = await viewer.send('POST', path, jsonBody({ kind: viewer.query('kind') }));
  return notice(String(message), {
    load: { from: awaitedRows(viewer.query('site'), last), into: 'bundles' },
  });
}

/** The receipt is the file as the import wrote it; whatever is no JSON is no receipt. */
async function receipt(viewer: Viewer, form: URLSearchParams): Promise<Markup> {
  const text = form.get('receipt') ?? '';
  if (!text.trimStart().startsWith('{')) return warning(viewer.say('notReceipt'));
  const told = await viewer.send('POST', `${bundlesPath(viewer)}/receipts`, {
    type: 'application/json',
    text,
  });
  return notice(`${String(told['message'])}: ${String(told['sequence'])}`, { refresh: true });
}
