import { html } from 'hono/html';
import { humanSize } from '../../domain/human-size.ts';
import type { EdgeSite } from '../../domain/resources/edge-site.ts';
import type { ImageBundle } from '../../domain/resources/image-bundle.ts';
import { basePath } from '../mount.ts';
import { filterBar, option, pageOf, pager } from './list-frame.ts';
import { badge, field, table, time, type Markup } from './markup.ts';
import { troubles } from './troubles.ts';
import type { ListBody, Viewer } from './viewer.ts';
import type { Say } from './words.ts';

const route = '/bundles';
const perPage = 20;
const unfinished: ReadonlySet<string> = new Set(['Pending', 'Staging']);
const archived: ReadonlySet<string> = new Set(['Staged', 'Acknowledged', 'Expired']);

/** The bundles of one offline site: to stage, to carry away, and receipts to bring back. */
export async function bundlesView(viewer: Viewer): Promise<Markup> {
  const { get, say, query } = viewer;
  const sites = await get<ListBody<EdgeSite>>('/edge-sites?mode=offline&limit=500');
  const names = sites.items.map(({ metadata }) => metadata.name);
  const site = query('site') || (names[0] ?? '');
  if (site === '')
    return html`<h2>${say('bundles')}</h2>
      <p class="quiet">${say('noOffline')}</p>`;
  const at = encodeURIComponent(site);
  const { items, totalItems } = await get<ListBody<ImageBundle>>(
    `/sites/${at}/bundles?page=${pageOf(viewer)}&limit=${perPage}`,
  );
  const choice = html`<select name="site">
    ${names.map((name) => option(name, name, site))}
  </select>`;
  return html`<h2>${say('bundles')}</h2>
    ${filterBar(route, say, [field(say('site'), choice)])} ${steer(at, say)} ${bundleTable(items, at, say)}
    ${totalItems > perPage ? pager(viewer, route, perPage, totalItems) : ''} ${takeReceipt(at, say)}`;
}

function steer(at: string, say: Say): Markup {
  const stage = (kind: 'delta' | 'full', word: 'stageDelta' | 'stageFull') =>
    html`<button hx-post="/console/bundles/stage?site=${at}&kind=${kind}" hx-target="#notice">
      ${say(word)}
    </button>`;
  return html`<div class="bar">${stage('delta', 'stageDelta')} ${stage('full', 'stageFull')}</div>`;
}

/** Looks for a bundle that was asked for, one a second, until it is in the list: it may also be found that none is needed. */
const looks = 60;

/** Where the bundles of a site are looked at until there is a later one than `last`. */
export const awaitedRows = (site: string, last: number, left = looks): string =>
  `/console/bundles/rows?site=${encodeURIComponent(site)}&last=${last}&left=${left}`;

/** The bundles of a site; while one is awaited or being staged, the page looks again. */
export async function bundleRows({ get, say, query }: Viewer): Promise<Markup> {
  const site = query('site');
  const at = encodeURIComponent(site);
  const { items } = await get<ListBody<ImageBundle>>(`/sites/${at}/bundles?limit=${perPage}`);
  const [last, left] = [Number(query('last')), Number(query('left'))];
  const isThere = items.some(({ spec }) => spec.sequence > last);
  return bundleTable(items, at, say, !isThere && left > 0 ? awaitedRows(site, last, left - 1) : undefined);
}

function bundleTable(items: readonly ImageBundle[], at: string, say: Say, awaited?: string): Markup {
  const headings = [
    say('sequence'),
    say('kind'),
    say('status'),
    say('images'),
    say('full'),
    say('carried'),
    say('saved'),
    say('base'),
    say('created'),
    say('expires'),
    say('receipt'),
    say('download'),
  ];
  const shown = table(
    say('bundles'),
    headings,
    items.map((item) => row(item, at, say)),
    say('nothing'),
  );
  const isBusy = items.some(({ status }) => unfinished.has(status?.phase ?? 'Pending'));
  const again = awaited ?? (isBusy ? `/console/bundles/rows?site=${at}` : undefined);
  return again === undefined
    ? html`<div id="bundles">${shown}</div>`
    : html`<div id="bundles" data-poll="${again}">${shown}</div>`;
}

function row({ spec, status = {} }: ImageBundle, at: string, say: Say): Markup {
  const { phase = 'Pending', bytes, progress = '', receipt, conditions = [] } = status;
  const size = (count: number | undefined) => (count === undefined ? '' : humanSize(count));
  return html`<tr>
    <th scope="row">${spec.sequence}</th>
    <td>${say(spec.kind)}</td>
    <td>${badge(phase, say)} ${unfinished.has(phase) ? progress : ''} ${troubles(conditions, say)}</td>
    <td>${status.images ?? ''}</td>
    <td>${size(bytes?.full)}</td>
    <td>${size(bytes?.carried)}</td>
    <td>${size(bytes?.saved)}</td>
    <td>${status.baseSequence ?? ''}</td>
    <td>${time(status.created)}</td>
    <td>${time(status.expires)}</td>
    <td>${receipt === undefined ? '' : html`${receipt.result}, ${time(receipt.time)}`}</td>
    <td>${archived.has(phase) ? download(spec, at, say) : ''}</td>
  </tr>`;
}

function download({ site, sequence }: ImageBundle['spec'], at: string, say: Say): Markup {
  return html`<button
      type="button"
      data-download="${basePath}/sites/${at}/bundles/${sequence}/archive"
      data-name="${site}-${sequence}.tar"
      data-large="true"
    >
      ${say('download')}
    </button>
    <br /><small class="quiet">${say('downloadHint')}</small>
    <code data-origin="API"
      >imageferry bundle fetch ${site} ${sequence} --root root.json --to ${site}-${sequence} --api API
      --token-file token</code
    >`;
}

function takeReceipt(at: string, say: Say): Markup {
  return html`<details>
    <summary>${say('takeReceipt')}</summary>
    <form hx-post="/console/bundles/receipt?site=${at}" hx-target="#notice">
      ${field(say('receiptFile'), html`<input type="file" data-fills="receipt" accept=".json,application/json" />`)}
      ${field(say('receiptText'), html`<textarea name="receipt" spellcheck="false" required></textarea>`)}
      <button class="first">${say('takeReceipt')}</button>
    </form>
  </details>`;
}
