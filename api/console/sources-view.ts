import { html } from 'hono/html';
import { annotation } from '../../domain/api/views.ts';
import type { RegistrySecret } from '../../domain/resources/registry-secret.ts';
import {
  filterBar,
  namespaceChoice,
  namespaceOf,
  pageOf,
  pager,
  searchField,
  sortHeading,
} from './list-frame.ts';
import { badge, field, message, table, time, type Markup } from './markup.ts';
import type { ListBody, Viewer } from './viewer.ts';
import type { Say } from './words.ts';

const route = '/sources';
const perPage = 50;

/** The registry sources: what part of them, a form that tests before it saves, and the list with each one's last result. */
export async function sourcesView(viewer: Viewer): Promise<Markup> {
  const { say, query } = viewer;
  const namespace = namespaceOf(viewer);
  const wanted = new URLSearchParams({ page: String(pageOf(viewer)), limit: String(perPage) });
  for (const name of ['search', 'sort']) wanted.set(name, query(name));
  const [namespaces, { items, totalItems }] = await Promise.all([
    namespaceChoice(viewer),
    viewer.get<ListBody<RegistrySecret>>(
      `/namespaces/${encodeURIComponent(namespace)}/registry-secrets?${wanted.toString()}`,
    ),
  ]);
  const sorted = (column: string, label: string) => sortHeading(viewer, route, column, label);
  const headings = [
    sorted('name', say('name')),
    sorted('namespace', say('namespace')),
    sorted('domain', say('domain')),
    say('username'),
    sorted('provider', say('provider')),
    sorted('status', say('status')),
    sorted('verified', say('lastVerified')),
    say('actions'),
  ];
  return html`<h2>${say('sources')}</h2>
    ${filterBar(route, say, [namespaces, searchField(viewer, `${say('name')}, ${say('domain')}`)])}
    ${addForm(namespace === '_all_' ? 'default' : namespace, viewer)}
    ${table(
      say('sources'),
      headings,
      items.map((item) => row(item, say)),
      say('noSources'),
    )}
    ${totalItems > perPage ? pager(viewer, route, perPage, totalItems) : ''}`;
}

function addForm(namespace: string, { say, providers }: Viewer): Markup {
  const text = (label: string, name: string, hint: string) =>
    field(label, html`<input name="${name}" placeholder="${hint}" autocomplete="off" required />`);
  return html`<details>
    <summary>${say('addSource')}</summary>
    <form class="bar" hx-post="/console/sources/add" hx-target="#notice">
      ${field(say('namespace'), html`<input name="namespace" value="${namespace}" required />`)}
      ${text(say('name'), 'name', 'dockerhub')}
      ${field(say('displayName'), html`<input name="displayName" />`)}
      ${text(say('domain'), 'domain', 'docker.io')} ${text(say('username'), 'username', '')}
      ${field(
        say('password'),
        html`<input name="password" type="password" autocomplete="new-password" required />`,
      )}
      ${field(
        say('provider'),
        html`<select name="provider">
          ${providers.map((provider) => html`<option>${provider}</option>`)}
        </select>`,
      )}
      <button type="button" hx-post="/console/sources/test" hx-include="closest form" hx-target="#notice">
        ${say('test')}
      </button>
      <button class="first">${say('add')}</button>
    </form>
  </details>`;
}

function row(item: RegistrySecret, say: Say): Markup {
  const { name, namespace = '' } = item.metadata;
  const at = `ns=${encodeURIComponent(namespace)}&name=${encodeURIComponent(name)}`;
  const alias = annotation(item, 'display-name');
  return html`<tr>
    <th scope="row">
      <a href="#/sources/details?${at}">${alias === '' ? name : alias}</a>
      ${alias === '' ? '' : html`<br /><span class="quiet">${name}</span>`}
    </th>
    <td>${namespace}</td>
    <td>${item.spec.domain}</td>
    <td>${item.spec.username}</td>
    <td>${item.spec.provider}</td>
    <td>
      ${badge(annotation(item, 'verify-status') || 'untested', say)}
      <br /><span class="quiet">${message(annotation(item, 'verify-message'), undefined, say)}</span>
    </td>
    <td>${time(verifiedAt(item))}</td>
    <td>
      <button hx-post="/console/sources/verify?${at}" hx-target="#notice" aria-label="${say('test')} ${name}">
        ${say('test')}
      </button>
    </td>
  </tr>`;
}

/** When it was last tested, RFC 3339; the annotation of the contract counts milliseconds. */
export function verifiedAt(item: RegistrySecret): string | undefined {
  const milliseconds = Number(annotation(item, 'verify-timestamp'));
  if (Number.isFinite(milliseconds) && milliseconds > 0) return new Date(milliseconds).toISOString();
  return item.status?.lastVerified;
}
