import { html } from 'hono/html';
import { annotation } from '../../domain/api/views.ts';
import { humanSize } from '../../domain/human-size.ts';
import type { EdgeSite } from '../../domain/resources/edge-site.ts';
import { choiceField, filterBar, pageOf, pager, searchField, sortHeading } from './list-frame.ts';
import { table, time, type Markup } from './markup.ts';
import { troubles } from './troubles.ts';
import type { ListBody, Viewer } from './viewer.ts';
import type { Say } from './words.ts';

const route = '/sites';
const perPage = 50;

/** The sites that images are brought to. */
export async function sitesView(viewer: Viewer): Promise<Markup> {
  const { get, say, query } = viewer;
  const wanted = new URLSearchParams({ page: String(pageOf(viewer)), limit: String(perPage) });
  for (const name of ['search', 'sort', 'mode']) wanted.set(name, query(name));
  const { items, totalItems } = await get<ListBody<EdgeSite>>(`/edge-sites?${wanted.toString()}`);
  const headings = [
    sortHeading(viewer, route, 'name', say('name')),
    sortHeading(viewer, route, 'mode', say('mode')),
    sortHeading(viewer, route, 'domain', say('registry')),
    sortHeading(viewer, route, 'location', say('location')),
    say('default'),
    say('capacity'),
    say('acknowledged'),
    say('staged'),
    say('status'),
  ];
  return html`<h2>${say('sites')}</h2>
    ${filterBar(route, say, [
      searchField(viewer, `${say('name')}, ${say('registry')}, ${say('location')}`),
      choiceField(viewer, say('mode'), 'mode', [
        ['connected', say('connected')],
        ['offline', say('offline')],
      ]),
    ])}
    ${table(
      say('sites'),
      headings,
      items.map((item) => row(item, say)),
      say('nothing'),
    )}
    ${totalItems > perPage ? pager(viewer, route, perPage, totalItems) : ''}`;
}

function row(item: EdgeSite, say: Say): Markup {
  const { name } = item.metadata;
  const { mode = 'connected', registry, location = '', capacity } = item.spec;
  const { acknowledged, stagedSequence } = item.status ?? {};
  const alias = annotation(item, 'display-name');
  return html`<tr>
    <th scope="row">${alias === '' ? name : html`${alias}<br /><span class="quiet">${name}</span>`}</th>
    <td>
      ${
        mode === 'offline'
          ? html`<a href="#/bundles?site=${encodeURIComponent(name)}">${say('offline')}</a>`
          : say('connected')
      }
    </td>
    <td>${registry.domain}${(registry.pathPrefix ?? '') === '' ? '' : `/${registry.pathPrefix}`}</td>
    <td>${location}</td>
    <td>${item.spec.default === true ? say('yes') : ''}</td>
    <td>${capacity === undefined ? '' : humanSize(capacity)}</td>
    <td>${acknowledged === undefined ? '' : html`${acknowledged.sequence}, ${time(acknowledged.time)}`}</td>
    <td>${stagedSequence ?? ''}</td>
    <td>${troubles(item.status?.conditions, say)}</td>
  </tr>`;
}
