import { html } from 'hono/html';
import { annotation } from '../../domain/api/views.ts';
import type { Language } from '../../domain/api/status.ts';
import type { Repository } from '../../domain/resources/repository.ts';
import type { Markup } from './page.ts';
import { statusWord, wordsIn } from './words.ts';

/** What part of the list is looked at. */
export interface ImageQuery {
  readonly ns: string;
  readonly search: string;
  readonly page: number;
}

/** Rows that one scroll loads. */
export const imagesPerPage = 30;

/** The images: search, namespace, and rows that load more as they are scrolled into view. */
export function imagesView(
  items: readonly Repository[],
  total: number,
  query: ImageQuery,
  language: Language,
): Markup {
  const say = wordsIn(language);
  return html`<h2>${say('images')}</h2>
    <form class="bar" hx-get="/console/images" hx-target="#view">
      <input
        name="ns"
        value="${query.ns === '_all_' ? '' : query.ns}"
        placeholder="${say('namespace')}: ${say('allNamespaces')}"
      />
      <input name="search" type="search" value="${query.search}" placeholder="${say('search')}" />
      <button>🔍</button>
    </form>
    <details>
      <summary>${say('fromYaml')}</summary>
      <form hx-post="/console/images/yaml" hx-target="#notice">
        <input name="namespace" value="default" required />
        <textarea name="yaml" required></textarea><button>${say('add')}</button>
      </form>
    </details>
    <form id="images" hx-post="/console/images/delete-many" hx-target="#notice">
      <table>
        <thead>
          <tr>
            <th></th>
            <th>${say('name')}</th>
            <th>${say('namespace')}</th>
            <th>${say('registry')}</th>
            <th>${say('image')}</th>
            <th>${say('lastSynced')}</th>
            <th>${say('status')}</th>
            <th>${say('actions')}</th>
          </tr>
        </thead>
        <tbody>
          ${imageRows(items, total, query, language)}
        </tbody>
      </table>
      <div class="bar">
        <input name="confirm" placeholder="${say('typeCount')}" required /><button>
          ${say('removeSelected')}
        </button>
      </div>
    </form>`;
}

/** One page of rows; the last one fetches the next page when it is seen. */
export function imageRows(
  items: readonly Repository[],
  total: number,
  query: ImageQuery,
  language: Language,
): Markup {
  const say = wordsIn(language);
  const loaded = Math.min(total, (query.page - 1) * imagesPerPage + items.length);
  const next = new URLSearchParams({
    ns: query.ns,
    search: query.search,
    page: String(query.page + 1),
  }).toString();
  const counter = html`<td colspan="8" class="quiet">${loaded} / ${total} ${say('shown')}</td>`;
  return html`${items.map((item) => imageRow(item, language))}
  ${
    loaded < total && items.length > 0
      ? html`<tr hx-get="/console/images/rows?${next}" hx-trigger="revealed" hx-swap="outerHTML">
          ${counter}
        </tr>`
      : html`<tr>
          ${counter}
        </tr>`
  }`;
}

function imageRow(item: Repository, language: Language): Markup {
  const say = wordsIn(language);
  const { name, namespace = '' } = item.metadata;
  const { syncStatus = '', domain = '', lastSynced = '', syncProgress = '' } = item.status ?? {};
  const at = `ns=${encodeURIComponent(namespace)}&name=${encodeURIComponent(name)}`;
  return html`<tr>
    <td><input type="checkbox" name="selected" value="${namespace}/${name}" /></td>
    <td>${annotation(item, 'display-name') || name}<br /><span class="quiet">${name}</span></td>
    <td>${namespace}</td>
    <td>${domain === '' ? item.spec.registryRef.name : domain}</td>
    <td>${item.spec.repository}:${item.spec.tag}</td>
    <td>${lastSynced}</td>
    <td>
      <span class="badge ${syncStatus}">${statusWord(syncStatus === '' ? 'NotYet' : syncStatus, say)}</span>
      ${syncStatus === 'Syncing' ? syncProgress : ''}
    </td>
    <td class="bar">
      <button type="button" hx-post="/console/images/sync?${at}" hx-target="#notice">
        ${say('syncNow')}
      </button>
      <button type="button" hx-get="/console/images/details?${at}" hx-target="#view">
        ${say('details')}
      </button>
    </td>
  </tr>`;
}
