import { html } from 'hono/html';
import type { z } from '@hono/zod-openapi';
import { humanSize } from '../../domain/human-size.ts';
import type { EdgeSite } from '../../domain/resources/edge-site.ts';
import type { storageLineSchema } from '../schema/lifecycle.ts';
import { choiceField, filterBar, option, pageOf, pager, searchField } from './list-frame.ts';
import { field, table, time, type Markup } from './markup.ts';
import type { ListBody, Viewer } from './viewer.ts';
import type { Say } from './words.ts';

const route = '/storage';
const perPage = 50;
type Line = z.output<typeof storageLineSchema>;

/** What the images take at each site, exact from their manifests. */
export async function storageView(viewer: Viewer): Promise<Markup> {
  const { get, say, query } = viewer;
  const wanted = new URLSearchParams({ page: String(pageOf(viewer)), limit: String(perPage) });
  for (const name of ['search', 'site']) if (query(name) !== '') wanted.set(name, query(name));
  wanted.set('by', query('by') || 'site');
  const [{ items, totalItems, measured }, sites] = await Promise.all([
    get<ListBody<Line> & { readonly measured?: string }>(`/storage?${wanted.toString()}`),
    get<ListBody<EdgeSite>>('/edge-sites?limit=500'),
  ]);
  const capacity = new Map(sites.items.map(({ metadata, spec }) => [metadata.name, spec.capacity]));
  const headings = [
    say('site'),
    say('path'),
    say('images'),
    say('total'),
    say('unique'),
    say('shared'),
    say('capacity'),
  ];
  return html`<h2>${say('storage')}</h2>
    ${filterBar(route, say, [level(viewer), site(viewer, sites.items), searchField(viewer, say('path'))])}
    <p class="quiet">${say('measured')}: ${time(measured)}</p>
    ${table(
      say('storage'),
      headings,
      items.map((line) => row(line, capacity.get(line.site), say)),
      say('notMeasured'),
    )}
    ${totalItems > perPage ? pager(viewer, route, perPage, totalItems) : ''}`;
}

function level({ say, query }: Viewer): Markup {
  const chosen = query('by') || 'site';
  return field(
    say('level'),
    html`<select name="by">
      ${(['site', 'repository', 'tag'] as const).map((by) => option(by, say(by), chosen))}
    </select>`,
  );
}

const site = (viewer: Viewer, sites: readonly EdgeSite[]): Markup =>
  choiceField(
    viewer,
    viewer.say('site'),
    'site',
    sites.map(({ metadata: { name } }) => [name, name]),
  );

function row(line: Line, capacity: number | undefined, say: Say): Markup {
  const { path = '', tag } = line;
  return html`<tr>
    <th scope="row">${line.site}<br /><span class="quiet">${line.registry}</span></th>
    <td>${path}${tag === undefined ? '' : `:${tag}`}</td>
    <td>${line.images}</td>
    <td>${humanSize(line.totalBytes)}</td>
    <td>${humanSize(line.uniqueBytes)}</td>
    <td>${humanSize(line.sharedBytes)}</td>
    <td>${capacity === undefined || path !== '' ? '' : filled(line.totalBytes, capacity, say)}</td>
  </tr>`;
}

/** How full a site is; over 80 % is the alert's line. */
function filled(bytes: number, capacity: number, say: Say): Markup {
  const percent = Math.round((bytes / capacity) * 100);
  return html`<meter min="0" max="100" high="80" value="${percent}" aria-label="${say('capacity')}"></meter>
    ${percent} % / ${humanSize(capacity)}`;
}
