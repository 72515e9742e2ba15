import { html } from 'hono/html';
import { humanSize } from '../../domain/human-size.ts';
import type { Repository, SyncRecord } from '../../domain/resources/repository.ts';
import { badge, digest, message, table, time, type Markup } from './markup.ts';
import type { Say } from './words.ts';

/** Where the image is: each site with what it has, and why where it has not. */
export function siteSection({ status }: Repository, say: Say): Markup {
  const rows = (status?.sites ?? []).map(
    ({ site, state, digest: held, confirmed, reason, message: told }) =>
      html`<tr>
        <th scope="row"><a href="#/sites?search=${encodeURIComponent(site)}">${site}</a></th>
        <td>${badge(state, say)}</td>
        <td>${digest(held)}</td>
        <td>${time(confirmed)}</td>
        <td>${message(told, reason, say)}</td>
      </tr>`,
  );
  const headings = [say('site'), say('status'), say('digest'), say('confirmed'), say('reason')];
  return html`<h3>${say('atSites')}</h3>
    ${table(say('atSites'), headings, rows, say('nothing'))}`;
}

/** The tags that a selector chose; nothing for an image of one tag. */
export function tagSection({ spec, status }: Repository, say: Say): Markup {
  const tags = status?.tags ?? [];
  if (spec.tagSelector === undefined) return html``;
  const rows = tags.map(
    (tag) =>
      html`<tr>
        <th scope="row">${tag.tag}</th>
        <td>${badge(tag.state, say)}</td>
        <td>${digest(tag.digest)}</td>
        <td>${tag.size ?? ''}</td>
      </tr>`,
  );
  return html`<h3>${say('tags')} <small>${tags.length}</small></h3>
    ${table(say('tags'), [say('tag'), say('status'), say('digest'), say('size')], rows, say('nothing'))}`;
}

/** Past syncs, with what they moved and the way to each one's workflow. */
export function historySection(
  syncs: readonly (SyncRecord & { readonly workflowUrl?: string; readonly milliseconds?: number })[],
  say: Say,
): Markup {
  const rows = syncs.map(
    (sync) =>
      html`<tr>
        <td>${time(sync.started)}</td>
        <td>${seconds(sync.milliseconds ?? 0)}</td>
        <td>${say(`by_${sync.trigger}`)}</td>
        <td>${badge(sync.result, say)}</td>
        <td>${humanSize(sync.bytesMoved)}</td>
        <td>${humanSize(sync.bytesReused)}</td>
        <td>
          ${sync.message === undefined ? digest(sync.digest) : ''} ${message(sync.message, sync.reason, say)}
        </td>
        <td>
          ${
            sync.workflowUrl === undefined
              ? ''
              : html`<a href="${sync.workflowUrl}" target="_blank" rel="noreferrer"
                  >${say('openWorkflow')}</a
                >`
          }
        </td>
      </tr>`,
  );
  const headings = [
    say('started'),
    say('took'),
    say('trigger'),
    say('result'),
    say('moved'),
    say('reused'),
    say('details'),
    say('workflow'),
  ];
  return html`<h3>${say('history')}</h3>
    ${table(say('history'), headings, rows, say('nothing'))}`;
}

/** One platform's manifest and its layers. */
export function manifestSection({ status }: Repository, say: Say): Markup {
  const shown = status?.manifest;
  if (shown === undefined) return html``;
  const rows = shown.layers.map(
    (layer) =>
      html`<tr>
        <td><code>${layer.digest}</code></td>
        <td>${humanSize(Number(layer.size))}</td>
      </tr>`,
  );
  return html`<h3>${say('manifest')}</h3>
    <p>${shown.os}/${shown.architecture}, ${shown.size}, ${time(shown.created)}</p>
    ${table(`${say('layers')} (${shown.layers.length})`, [say('digest'), say('size')], rows, say('nothing'))}`;
}

/** A record's times are in seconds: what began and ended in the same one took less than that. */
const seconds = (milliseconds: number): string =>
  milliseconds < 1000 ? '< 1 s' : `${Math.round(milliseconds / 1000)} s`;
