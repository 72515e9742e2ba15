import { html } from 'hono/html';
import { inLanguage } from '../../domain/api/reader-words.ts';
import { annotation } from '../../domain/api/views.ts';
import type { Repository } from '../../domain/resources/repository.ts';
import { sortHeading } from './list-frame.ts';
import { badge, time, type Markup } from './markup.ts';
import { objectPath, type Viewer } from './viewer.ts';
import type { Say } from './words.ts';

/** Looks at a row after a wish, until the wish shows. The page looks once a second. */
const looks = 15;

/** The address of an image's row that looks again a few times. */
export const watchedRow = (namespace: string, name: string): string =>
  `/console/images/row?${place(namespace, name)}&looks=${looks}`;

/** The id of an image's row. Neither part holds a dot and a slash at once, so that no two are alike. */
export const rowId = (namespace: string, name: string): string => `row/${namespace}/${name}`;

const place = (namespace: string, name: string): string =>
  `ns=${encodeURIComponent(namespace)}&name=${encodeURIComponent(name)}`;

/** One row, asked for again while something goes on. */
export async function oneImageRow({ get, query, say }: Viewer): Promise<Markup> {
  const item = await get<Repository>(objectPath('repositories', query('ns'), query('name')));
  return imageRow(item, say, Math.max(0, (Number.parseInt(query('looks'), 10) || 0) - 1));
}

/** Headings over the rows, most of which sort. */
export function imageRowHeadings(viewer: Viewer): Markup {
  const { say } = viewer;
  const sorted = (column: string, field: string, label: string) =>
    html`<th scope="col" class="col-${column}">${sortHeading(viewer, '/images', field, label)}</th>`;
  return html`<th scope="col">
      <input type="checkbox" id="select-all" aria-label="${say('selectAll')}" />
    </th>
    ${sorted('name', 'name', say('name'))} ${sorted('namespace', 'namespace', say('namespace'))}
    ${sorted('registry', 'domain', say('registry'))} ${sorted('image', 'image', say('image'))}
    <th scope="col" class="col-size">${say('size')}</th>
    <th scope="col" class="col-site">${say('sites')}</th>
    ${sorted('lastSynced', 'lastSynced', say('lastSynced'))} ${sorted('status', 'status', say('status'))}
    <th scope="col">${say('actions')}</th>`;
}

/** One image. It is looked at again while it syncs, and `again` more times: where a wish was made, or its first sync is due. */
export function imageRow(item: Repository, say: Say, again = firstLooks(item)): Markup {
  const { name, namespace = '' } = item.metadata;
  const id = rowId(namespace, name);
  const cells = html`${nameCells(item, say)} ${statusCells(item, say)}`;
  if (item.status?.syncStatus !== 'Syncing' && again === 0)
    return html`<tr id="${id}">
      ${cells}
    </tr>`;
  const next = `/console/images/row?${place(namespace, name)}&looks=${again}`;
  return html`<tr id="${id}" data-poll="${next}">
    ${cells}
  </tr>`;
}

const firstLooks = ({ status }: Repository): number => ((status?.syncStatus ?? '') === '' ? looks : 0);

function nameCells(item: Repository, say: Say): Markup {
  const { metadata, spec, status } = item;
  const { name, namespace = '' } = metadata;
  const alias = annotation(item, 'display-name');
  return html`<td>
      <input
        type="checkbox"
        name="selected"
        value="${namespace}/${name}"
        aria-label="${say('selectOne')} ${name}"
      />
    </td>
    <th scope="row">
      <a href="#/images/details?${place(namespace, name)}">${alias === '' ? name : alias}</a>
      ${alias === '' ? '' : html`<br /><span class="quiet">${name}</span>`}
    </th>
    <td class="col-namespace">${namespace}</td>
    <td class="col-registry">${status?.domain ?? spec.registryRef.name}</td>
    <td class="col-image">${spec.repository}:${spec.tag} ${isPinned(item) ? badge('Pinned', say) : ''}</td>`;
}

/** Whether one of its tags stays where it is, whatever happens upstream. */
const isPinned = ({ spec }: Repository): boolean =>
  spec.pinnedDigest !== undefined || (spec.pins ?? []).length > 0;

function statusCells(item: Repository, say: Say): Markup {
  const { name, namespace = '' } = item.metadata;
  const { syncStatus, lastSynced, syncProgress, sites = [], manifest } = item.status ?? {};
  const there = sites.filter(({ state }) => state === 'Synced').length;
  return html`<td class="col-size">${manifest?.size}</td>
    <td class="col-site">${sites.length === 0 ? '' : `${there} / ${sites.length}`}</td>
    <td class="col-lastSynced">${time(lastSynced)}</td>
    <td class="col-status">
      ${badge(syncStatus || 'NotYet', say)} ${syncStatus === 'Syncing' ? syncProgress : ''}
      ${syncStatus === 'Failed' ? reasonOf(item, say) : ''}
    </td>
    <td>
      <button
        type="button"
        hx-post="/console/images/sync?${place(namespace, name)}"
        hx-target="#notice"
        aria-label="${say('syncNow')} ${name}"
      >
        ${say('syncNow')}
      </button>
    </td>`;
}

function reasonOf({ status }: Repository, say: Say): Markup {
  const synced = status?.conditions?.find(({ type }) => type === 'Synced');
  if (synced === undefined) return html``;
  return html`<br /><span class="quiet" title="${inLanguage(synced.message, say.language)}"
      >${synced.reason}</span
    >`;
}
