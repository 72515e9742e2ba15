import { html } from 'hono/html';
import type { RegistrySecret } from '../../domain/resources/registry-secret.ts';
import type { Repository } from '../../domain/resources/repository.ts';
import { imageRow, imageRowHeadings } from './image-row.ts';
import {
  choiceField,
  filterBar,
  namespaceChoice,
  namespaceOf,
  pageOf,
  searchField,
  withQuery,
} from './list-frame.ts';
import { field, type Markup } from './markup.ts';
import { Refused, type ListBody, type Viewer } from './viewer.ts';
import type { Say } from './words.ts';

/** Rows that one scroll loads. */
export const imagesPerPage = 30;

/** The images: what part of them, what to add, and rows that load more as they are scrolled into view. */
export async function imagesView(viewer: Viewer): Promise<Markup> {
  const { say } = viewer;
  const [namespaces, list, registries] = await Promise.all([
    namespaceChoice(viewer),
    images(viewer),
    knownRegistries(viewer),
  ]);
  return html`<h2>${say('images')}</h2>
    ${filterBar('/images', say, [
      namespaces,
      searchField(viewer, say('searchImages')),
      choiceField(
        viewer,
        say('status'),
        'status',
        (['Success', 'Syncing', 'Failed'] as const).map((status) => [status, say(status)]),
      ),
    ])}
    <div class="adders">${addImage(viewer, registries)} ${fromYaml(viewer)}</div>
    <div id="batch" aria-live="polite" hx-morph-skip></div>
    <form id="images" class="list">
      ${batchBar(say)}
      ${
        list.items.length === 0
          ? html`<p class="quiet">${say('noImages')}</p>`
          : html`<div class="scroll">
              <table>
                <caption>
                  ${say('images')}
                </caption>
                <thead>
                  <tr>
                    ${imageRowHeadings(viewer)}
                  </tr>
                </thead>
                <tbody>
                  ${rows(viewer, list)}
                </tbody>
              </table>
            </div>`
      }
    </form>`;
}

/** Names of registries to offer, of the namespace that a new image would go to; none for who may not list them. */
async function knownRegistries(viewer: Viewer): Promise<readonly string[]> {
  const path = `/namespaces/${encodeURIComponent(ownNamespace(viewer))}/registry-secrets?limit=100`;
  try {
    const { items } = await viewer.get<ListBody<RegistrySecret>>(path);
    return items.map(({ metadata }) => metadata.name);
  } catch (error) {
    if (error instanceof Refused) return [];
    throw error;
  }
}

/** One page of rows; the last one fetches the next page when it is seen. */
export const imageRows = async (viewer: Viewer): Promise<Markup> => rows(viewer, await images(viewer));

/** What the API lists of the images that are asked for. */
async function images(viewer: Viewer): Promise<ListBody<Repository>> {
  const { query } = viewer;
  const wanted = new URLSearchParams({ page: String(pageOf(viewer)), limit: String(imagesPerPage) });
  for (const name of ['search', 'status', 'sort']) wanted.set(name, query(name));
  return viewer.get(
    `/namespaces/${encodeURIComponent(namespaceOf(viewer))}/repositories?${wanted.toString()}`,
  );
}

function rows(viewer: Viewer, { items, totalItems }: ListBody<Repository>): Markup {
  const page = pageOf(viewer);
  const loaded = Math.min(totalItems, (page - 1) * imagesPerPage + items.length);
  const counter = html`<td colspan="10" class="quiet" data-loaded="${loaded}">
    ${loaded} / ${totalItems} ${viewer.say('shown')}
  </td>`;
  const next = withQuery(viewer, '/console/images/rows', { page: String(page + 1) }).slice(1);
  return html`${items.map((item) => imageRow(item, viewer.say))}
  ${
    loaded < totalItems && items.length > 0
      ? html`<tr hx-get="${next}" hx-trigger="revealed" hx-swap="outerHTML">
          ${counter}
        </tr>`
      : html`<tr>
          ${counter}
        </tr>`
  }`;
}

/** What is done with the selected images. Deleting asks for their number. */
function batchBar(say: Say): Markup {
  const post = (query: string, label: string, kind = '') =>
    html`<button
      type="button"
      class="${kind}"
      hx-post="/console/images/batch?${query}"
      hx-include="closest form"
      hx-target="#batch"
    >
      ${label}
    </button>`;
  return html`<div class="bar" role="group" aria-label="${say('selected')}">
    <span>${say('selected')}: <output id="selected">0</output></span>
    ${post('operation=sync', say('syncSelected'))}
    <details class="danger">
      <summary>${say('removeSelected')}</summary>
      <div class="bar">
        ${post('operation=delete&dryRun=true', say('tryFirst'))}
        ${field(say('typeCount'), html`<input name="confirm" inputmode="numeric" autocomplete="off" />`)}
        ${post('operation=delete', say('removeSelected'), 'danger')}
      </div>
    </details>
    <details class="columns">
      <summary>${say('columns')}</summary>
      <div class="bar">
        ${(['namespace', 'registry', 'image', 'size', 'site', 'lastSynced', 'status'] as const).map(
          (column) =>
            html`<label><input type="checkbox" data-column="${column}" checked /> ${say(column)}</label>`,
        )}
      </div>
    </details>
  </div>`;
}

function addImage(viewer: Viewer, registries: readonly string[]): Markup {
  const { say } = viewer;
  const text = (label: string, name: string, hint: string, required = true) =>
    field(
      label,
      required
        ? html`<input name="${name}" placeholder="${hint}" required />`
        : html`<input name="${name}" placeholder="${hint}" />`,
    );
  return html`<details>
    <summary>${say('addImage')}</summary>
    <form class="bar" hx-post="/console/images/add" hx-target="#notice">
      ${field(say('namespace'), html`<input name="namespace" value="${ownNamespace(viewer)}" required />`)}
      ${text(say('name'), 'name', 'nginx')} ${text(say('displayName'), 'displayName', '', false)}
      ${field(
        say('registry'),
        html`<input name="registry" list="registries" placeholder="dockerhub" autocomplete="off" required />
          <datalist id="registries">
            ${registries.map((name) => html`<option value="${name}"></option>`)}
          </datalist>`,
      )}
      ${text(say('path'), 'repository', 'library/nginx')} ${text(say('tag'), 'tag', '1.27')}
      ${text(say('interval'), 'syncInterval', '1h', false)}
      <button class="first">${say('add')}</button>
    </form>
  </details>`;
}

function fromYaml(viewer: Viewer): Markup {
  const { say } = viewer;
  return html`<details>
    <summary>${say('fromYaml')}</summary>
    <form hx-post="/console/images/yaml" hx-target="#batch">
      ${field(say('namespace'), html`<input name="namespace" value="${ownNamespace(viewer)}" required />`)}
      ${field(say('yaml'), html`<textarea name="yaml" spellcheck="false" required></textarea>`)}
      <div class="bar">
        <button
          type="button"
          hx-post="/console/images/yaml?dryRun=true"
          hx-include="closest form"
          hx-target="#batch"
        >
          ${say('tryFirst')}
        </button>
        <button class="first">${say('add')}</button>
      </div>
    </form>
  </details>`;
}

/** The namespace that a new object is offered: the one that is looked at. */
function ownNamespace(viewer: Viewer): string {
  const namespace = namespaceOf(viewer);
  return namespace === '_all_' ? 'default' : namespace;
}
