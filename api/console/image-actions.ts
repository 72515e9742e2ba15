import { annotationPrefix } from '../../domain/resources/meta.ts';
import type { z } from '@hono/zod-openapi';
import type { batchAnswerSchema } from '../schema/batch.ts';
import type { Action } from './action.ts';
import { batchAnswer } from './batch-view.ts';
import { rowId, watchedRow } from './image-row.ts';
import type { Markup } from './markup.ts';
import { notice, warning } from './notice.ts';
import { jsonBody, objectPath, type Body, type Viewer } from './viewer.ts';

/** What is done with images: each is one call of the API, answered with its words. */
export const imageActions: Readonly<Record<string, Action>> = {
  '/images/add': addImage,
  '/images/yaml': addMany,
  '/images/batch': batch,
  '/images/sync': (viewer) => steer(viewer, 'sync'),
  '/images/cancel': (viewer) => steer(viewer, 'cancel-sync'),
  '/images/rollback': (viewer, form) => version(viewer, 'rollback', form, ['tag', 'digest']),
  '/images/release': (viewer, form) => version(viewer, 'release', form, ['tag']),
  '/images/edit': edit,
  '/images/delete': remove,
};

const imagePath = ({ query }: Viewer): string => objectPath('repositories', query('ns'), query('name'));

/** Starts or ends a sync. The image's row, where there is one, is looked at until it shows. */
async function steer(viewer: Viewer, operation: 'sync' | 'cancel-sync'): Promise<Markup> {
  const { message } = await viewer.send('POST', `${imagePath(viewer)}/${operation}`, jsonBody({}));
  const [namespace, name] = [viewer.query('ns'), viewer.query('name')];
  return notice(`${name}: ${String(message)}`, {
    load: { from: watchedRow(namespace, name), into: rowId(namespace, name) },
  });
}

async function version(
  viewer: Viewer,
  operation: 'rollback' | 'release',
  form: URLSearchParams,
  fields: readonly string[],
): Promise<Markup> {
  const body = Object.fromEntries(fields.map((name) => [name, form.get(name) ?? '']));
  const { message } = await viewer.send('POST', `${imagePath(viewer)}/${operation}`, jsonBody(body));
  return notice(String(message), { refresh: true });
}

async function edit(viewer: Viewer, form: URLSearchParams): Promise<Markup> {
  const fields = ['displayName', 'description', 'owner', 'supportContact'];
  const body = Object.fromEntries(
    fields.filter((name) => form.has(name)).map((name) => [name, form.get(name)]),
  );
  await viewer.send('PATCH', imagePath(viewer), jsonBody(body));
  return notice(viewer.say('edited'), { refresh: true });
}

async function remove(viewer: Viewer, form: URLSearchParams): Promise<Markup> {
  const name = viewer.query('name');
  if (form.get('confirm') !== name) return warning(viewer.say('confirmWrong'));
  await viewer.send('DELETE', imagePath(viewer));
  return notice(`${name}: ${viewer.say('deleted')}`, { goto: '#/images' });
}

async function addImage(viewer: Viewer, form: URLSearchParams): Promise<Markup> {
  const text = (name: string) => form.get(name) ?? '';
  const optional = (name: string, value: string) => (value === '' ? {} : { [name]: value });
  const object = {
    metadata: {
      name: text('name'),
      annotations: optional(`${annotationPrefix}display-name`, text('displayName')),
    },
    spec: {
      repository: text('repository'),
      tag: text('tag'),
      registryRef: { name: text('registry') },
      ...optional('syncInterval', text('syncInterval')),
    },
  };
  const path = `/namespaces/${encodeURIComponent(text('namespace'))}/repositories`;
  await viewer.send('POST', path, jsonBody(object));
  return notice(`${text('name')}: ${viewer.say('done')}`, { refresh: true });
}

async function addMany(viewer: Viewer, form: URLSearchParams): Promise<Markup> {
  const body = { type: 'application/yaml', text: form.get('yaml') ?? '' };
  return startBatch(viewer, form.get('namespace') ?? '', body);
}

/** Syncs or deletes what is selected. Deleting in earnest asks for the number. */
async function batch(viewer: Viewer, form: URLSearchParams): Promise<Markup> {
  const { say, query } = viewer;
  const selected = form.getAll('selected');
  const operation = query('operation');
  if (selected.length === 0) return warning(say('nothingSelected'));
  const sure = operation !== 'delete' || query('dryRun') === 'true';
  if (!sure && form.get('confirm') !== String(selected.length)) return warning(say('confirmWrong'));
  const items = selected.map((key) => {
    const [namespace = '', name = ''] = key.split('/');
    return { metadata: { namespace, name } };
  });
  return startBatch(viewer, '_all_', jsonBody({ operation, items }));
}

async function startBatch(viewer: Viewer, namespace: string, body: Body): Promise<Markup> {
  const dryRun = viewer.query('dryRun') === 'true' ? '?dryRun=true' : '';
  const path = `/namespaces/${encodeURIComponent(namespace)}/batch${dryRun}`;
  // the API's own schema promises the shape
  const answer = (await viewer.send('POST', path, body)) as z.output<typeof batchAnswerSchema>;
  return batchAnswer(answer, namespace, viewer.say);
}
