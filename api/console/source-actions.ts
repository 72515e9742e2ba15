import { annotationPrefix } from '../../domain/resources/meta.ts';
import type { Action } from './action.ts';
import type { Markup } from './markup.ts';
import { notice, warning } from './notice.ts';
import { jsonBody, objectPath, type Viewer } from './viewer.ts';

/** What is done with registry sources: each is one call of the API, answered with its words. */
export const sourceActions: Readonly<Record<string, Action>> = {
  '/sources/add': add,
  '/sources/test': test,
  '/sources/verify': verify,
  '/sources/delete': remove,
};

const sourcePath = ({ query }: Viewer): string => objectPath('registry-secrets', query('ns'), query('name'));

const credential = (form: URLSearchParams) => ({
  domain: form.get('domain'),
  username: form.get('username'),
  password: form.get('password'),
  provider: form.get('provider'),
});

async function add(viewer: Viewer, form: URLSearchParams): Promise<Markup> {
  const [name, displayName] = [form.get('name') ?? '', form.get('displayName') ?? ''];
  const annotations = displayName === '' ? {} : { [`${annotationPrefix}display-name`]: displayName };
  const path = `/namespaces/${encodeURIComponent(form.get('namespace') ?? '')}/registry-secrets`;
  await viewer.send('POST', path, jsonBody({ metadata: { name, annotations }, spec: credential(form) }));
  return notice(`${name}: ${viewer.say('done')}`, { refresh: true });
}

/** Tests what is in the form, without storing it. */
async function test(viewer: Viewer, form: URLSearchParams): Promise<Markup> {
  const path = objectPath('registry-secrets', form.get('namespace') ?? '', form.get('name') || 'new');
  return told(await viewer.send('POST', `${path}/verify`, jsonBody(credential(form))), false);
}

async function verify(viewer: Viewer): Promise<Markup> {
  return told(await viewer.send('POST', `${sourcePath(viewer)}/verify`, jsonBody({})), true);
}

function told(answer: Readonly<Record<string, unknown>>, refresh: boolean): Markup {
  const message = String(answer['message']);
  return notice(message, { refresh, good: answer['success'] === true });
}

async function remove(viewer: Viewer, form: URLSearchParams): Promise<Markup> {
  const name = viewer.query('name');
  if (form.get('confirm') !== name) return warning(viewer.say('confirmWrong'));
  const force = form.get('force') === 'true' ? '?force=true' : '';
  await viewer.send('DELETE', `${sourcePath(viewer)}${force}`);
  return notice(`${name}: ${viewer.say('deleted')}`, { goto: '#/sources' });
}
