import { html } from 'hono/html';
import { annotation } from '../../domain/api/views.ts';
import type { Language } from '../../domain/api/status.ts';
import { builtInProviders, type RegistrySecret } from '../../domain/resources/registry-secret.ts';
import type { Markup } from './page.ts';
import { statusWord, wordsIn } from './words.ts';

/** The registry sources: add form with a connection test, and the list. */
export function sourcesView(items: readonly RegistrySecret[], total: number, language: Language): Markup {
  const say = wordsIn(language);
  return html`<h2>${say('sources')} <small class="quiet">${items.length} / ${total}</small></h2>
    <form class="bar" hx-post="/console/sources/add" hx-target="#notice">
      <input name="namespace" value="default" placeholder="${say('namespace')}" required />
      <input name="name" placeholder="${say('name')}" required />
      <input name="displayName" placeholder="${say('displayName')}" />
      <input name="domain" placeholder="${say('domain')}" required />
      <input name="username" placeholder="${say('username')}" required />
      <input name="password" type="password" autocomplete="off" placeholder="${say('password')}" required />
      <select name="provider">
        ${builtInProviders.map((provider) => html`<option>${provider}</option>`)}
      </select>
      <button type="button" hx-post="/console/sources/test" hx-include="closest form" hx-target="#notice">
        ${say('test')}
      </button>
      <button>${say('add')}</button>
    </form>
    <table>
      <thead>
        <tr>
          <th>${say('name')}</th>
          <th>${say('namespace')}</th>
          <th>${say('domain')}</th>
          <th>${say('username')}</th>
          <th>${say('provider')}</th>
          <th>${say('status')}</th>
          <th>${say('actions')}</th>
        </tr>
      </thead>
      <tbody>
        ${items.map((item) => row(item, language))}
      </tbody>
    </table>`;
}

function row(item: RegistrySecret, language: Language): Markup {
  const say = wordsIn(language);
  const { name, namespace = '' } = item.metadata;
  const status = annotation(item, 'verify-status') || 'untested';
  const at = `ns=${encodeURIComponent(namespace)}&name=${encodeURIComponent(name)}`;
  return html`<tr>
    <td>${annotation(item, 'display-name') || name}<br /><span class="quiet">${name}</span></td>
    <td>${namespace}</td>
    <td>${item.spec.domain}</td>
    <td>${item.spec.username}</td>
    <td>${item.spec.provider}</td>
    <td>
      <span class="badge ${status}" title="${annotation(item, 'verify-message')}"
        >${statusWord(status, say)}</span
      >
    </td>
    <td class="bar">
      <button hx-post="/console/sources/verify?${at}" hx-target="#notice">${say('test')}</button>
      <form hx-post="/console/sources/delete?${at}" hx-target="#notice">
        <input name="confirm" placeholder="${say('typeName')}" required /><button>${say('remove')}</button>
      </form>
    </td>
  </tr>`;
}
