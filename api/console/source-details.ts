import { html } from 'hono/html';
import { usersOf } from '../../domain/api/registry-use.ts';
import { annotation } from '../../domain/api/views.ts';
import type { RegistrySecret } from '../../domain/resources/registry-secret.ts';
import type { Repository } from '../../domain/resources/repository.ts';
import { badge, confirmDelete, facts, message, table, time, type Markup } from './markup.ts';
import { verifiedAt } from './sources-view.ts';
import { objectPath, Refused, type ListBody, type Viewer } from './viewer.ts';
import type { Say } from './words.ts';

/** One registry: how its last test ended, what its credential may do, and which images use it. */
export async function sourceDetails(viewer: Viewer): Promise<Markup> {
  const { get, query, say } = viewer;
  const [item, users] = await Promise.all([
    get<RegistrySecret>(objectPath('registry-secrets', query('ns'), query('name'))),
    usersSeen(viewer),
  ]);
  const { name, namespace = '' } = item.metadata;
  const at = `ns=${encodeURIComponent(namespace)}&name=${encodeURIComponent(name)}`;
  const force = html`<label
    ><input type="checkbox" name="force" value="true" /> ${say('forceDelete')}</label
  >`;
  return html`<h2>${annotation(item, 'display-name') || name} <small>${namespace}/${name}</small></h2>
    <div class="bar">
      ${badge(annotation(item, 'verify-status') || 'untested', say)}
      <span>${message(annotation(item, 'verify-message'), undefined, say)}</span> ${time(verifiedAt(item))}
      <button class="first" hx-post="/console/sources/verify?${at}" hx-target="#notice">
        ${say('test')}
      </button>
    </div>
    ${basics(item, say)} ${may(item, say)}
    <h3>${say('usedBy')} <small>${users.length}</small></h3>
    ${usedBy(users, say)}
    ${confirmDelete(`/console/sources/delete?${at}`, name, say, users.length === 0 ? undefined : force)}`;
}

/** The images that use it, as far as the caller may see them: of all namespaces, else of its own. */
async function usersSeen({ get, query }: Viewer): Promise<readonly string[]> {
  const ref = { namespace: query('ns'), name: query('name') };
  const wanted = `repositories?limit=500&registry=${encodeURIComponent(ref.name)}`;
  const { items } = await get<ListBody<Repository>>(`/namespaces/_all_/${wanted}`).catch((error) => {
    if (!(error instanceof Refused) || error.status !== 403) throw error;
    return get<ListBody<Repository>>(`/namespaces/${encodeURIComponent(ref.namespace)}/${wanted}`);
  });
  return usersOf(ref, items);
}

function basics({ spec, status, metadata }: RegistrySecret, say: Say): Markup {
  const { pullQuota, expires } = status ?? {};
  return facts([
    [say('domain'), html`<code>${spec.domain}</code>`],
    [say('username'), spec.username],
    [say('provider'), spec.provider],
    [say('quota'), pullQuota === undefined ? undefined : `${pullQuota.remaining} / ${pullQuota.limit}`],
    [say('expires'), expires === undefined ? undefined : time(expires)],
    [say('allowedNamespaces'), spec.allowedNamespaces?.join(', ')],
    [say('created'), time(metadata.creationTimestamp)],
  ]);
}

function may({ status }: RegistrySecret, say: Say): Markup {
  const capabilities = status?.capabilities ?? [];
  if (capabilities.length === 0) return html``;
  const rows = capabilities.map(
    ({ scope, actions }) =>
      html`<tr>
        <th scope="row">${scope === '*' ? say('all') : scope}</th>
        <td>${actions.join(', ')}</td>
      </tr>`,
  );
  return html`<h3>${say('may')}</h3>
    ${table(say('may'), [say('path'), say('actions')], rows, say('nothing'))}`;
}

function usedBy(users: readonly string[], say: Say): Markup {
  if (users.length === 0) return html`<p class="quiet">${say('nothing')}</p>`;
  return html`<ul>
    ${users.map((user) => {
      const [namespace = '', name = ''] = user.split('/');
      const at = new URLSearchParams({ ns: namespace, name }).toString();
      return html`<li><a href="#/images/details?${at}">${user}</a></li>`;
    })}
  </ul>`;
}
