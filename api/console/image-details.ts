import { html } from 'hono/html';
import { annotation } from '../../domain/api/views.ts';
import type { Language } from '../../domain/api/status.ts';
import { humanSize } from '../../domain/human-size.ts';
import type { Repository } from '../../domain/resources/repository.ts';
import type { Markup } from './page.ts';
import { wordsIn } from './words.ts';

/** One image: what it is, its past syncs, its manifest with layers, and edit and delete. */
export function imageDetails(item: Repository, language: Language): Markup {
  const say = wordsIn(language);
  const { name, namespace = '' } = item.metadata;
  const at = `ns=${encodeURIComponent(namespace)}&name=${encodeURIComponent(name)}`;
  const synced = item.status?.conditions?.find(({ type }) => type === 'Synced');
  return html`<h2>${namespace}/${name}</h2>
    <p>${item.status?.domain ?? item.spec.registryRef.name}/${item.spec.repository}:${item.spec.tag}</p>
    <p class="quiet">${item.status?.digest ?? ''}</p>
    <p>${synced?.message ?? ''}</p>
    <form class="bar" hx-post="/console/images/edit?${at}" hx-target="#notice">
      <input
        name="displayName"
        value="${annotation(item, 'display-name')}"
        placeholder="${say('displayName')}"
      />
      <input
        name="description"
        value="${annotation(item, 'description')}"
        placeholder="${say('description')}"
      />
      <button>${say('save')}</button>
    </form>
    <form class="bar" hx-post="/console/images/delete?${at}" hx-target="#notice">
      <input name="confirm" placeholder="${say('typeName')}" required /><button>${say('remove')}</button>
    </form>
    ${manifest(item, language)}
    <h3>${say('history')}</h3>
    <table>
      ${(item.status?.history ?? []).map(
        (sync) =>
          html`<tr>
            <td>${sync.ended}</td>
            <td>${sync.trigger}</td>
            <td><span class="badge ${sync.result}">${sync.result}</span></td>
            <td>${humanSize(sync.bytesMoved)}</td>
            <td>${sync.message ?? sync.digest ?? ''}</td>
          </tr>`,
      )}
    </table>`;
}

function manifest(item: Repository, language: Language): Markup {
  const say = wordsIn(language);
  const shown = item.status?.manifest;
  if (shown === undefined) return html``;
  return html`<h3>${say('manifest')}</h3>
    <p>${shown.os}/${shown.architecture} ${shown.size} ${shown.created ?? ''}</p>
    <h3>${say('layers')} (${shown.layers.length})</h3>
    <table>
      ${shown.layers.map(
        (layer) =>
          html`<tr>
            <td>${layer.digest}</td>
            <td>${humanSize(Number(layer.size))}</td>
          </tr>`,
      )}
    </table>`;
}
