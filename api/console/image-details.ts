import { html } from 'hono/html';
import { annotation } from '../../domain/api/views.ts';
import type { Condition } from '../../domain/resources/meta.ts';
import type { Repository, SyncRecord, VersionStatus } from '../../domain/resources/repository.ts';
import { historySection, manifestSection, siteSection, tagSection } from './image-sections.ts';
import { versionSection } from './image-versions.ts';
import { badge, confirmDelete, facts, field, message, time, type Markup } from './markup.ts';
import { troubles } from './troubles.ts';
import { objectPath, type ListBody, type Viewer } from './viewer.ts';
import type { Say } from './words.ts';
import { basePath } from '../mount.ts';

/** One image: how it is, live; where it is and what it depends on; its versions, past syncs and layers. */
export async function imageDetails({ get, query, say }: Viewer): Promise<Markup> {
  const path = objectPath('repositories', query('ns'), query('name'));
  const [item, history, versions] = await Promise.all([
    get<Repository>(path),
    get<ListBody<SyncRecord & { readonly workflowUrl?: string }>>(`${path}/history?limit=20`),
    get<ListBody<VersionStatus>>(`${path}/versions?limit=20`),
  ]);
  const { name, namespace = '' } = item.metadata;
  const at = `ns=${encodeURIComponent(namespace)}&name=${encodeURIComponent(name)}`;
  return html`<h2>${annotation(item, 'display-name') || name} <small>${namespace}/${name}</small></h2>
    ${live(item, path, at, say)} ${troubles(item.status?.conditions, say, ['Synced', 'Verified'])}
    <h3>${say('basics')}</h3>
    ${basics(item, say)} ${edit(item, at, say)} ${confirmDelete(`/console/images/delete?${at}`, name, say)}
    <h3>${say('dependencies')}</h3>
    ${dependencies(item, say)} ${siteSection(item, say)} ${tagSection(item, say)}
    ${versionSection(item, versions.items, at, say)} ${historySection(history.items, say)}
    ${manifestSection(item, say)}`;
}

/** How it is now. The page follows the API's event stream and loads the rest again when a sync ends. */
function live({ status }: Repository, path: string, at: string, say: Say): Markup {
  const { syncStatus = '', syncProgress = '' } = status ?? {};
  const synced = status?.conditions?.find(({ type }) => type === 'Synced');
  const syncing = syncStatus === 'Syncing';
  const percent = Number.parseInt(syncProgress, 10) || 0;
  return html`<section class="live" data-progress="${basePath}${path}/progress" data-status="${syncStatus}">
    <div class="bar">
      ${badge(syncStatus === '' ? 'NotYet' : syncStatus, say)}
      ${
        syncing
          ? html`<progress max="100" value="${percent}" aria-label="${say('Syncing')}"></progress>
              <output>${syncProgress}</output>`
          : ''
      }
      <button class="first" hx-post="/console/images/sync?${at}" hx-target="#notice">
        ${say('syncNow')}
      </button>
      ${
        syncing
          ? html`<button hx-post="/console/images/cancel?${at}" hx-target="#notice">
              ${say('cancelSync')}
            </button>`
          : ''
      }
    </div>
    ${
      synced === undefined
        ? ''
        : html`<p class="${tone(synced)}" data-message>
            ${message(synced.message, synced.status === 'False' ? synced.reason : undefined, say)}
          </p>`
    }
  </section>`;
}

const tone = ({ status, reason }: Condition): string => {
  if (reason === 'Retrying') return 'notice due';
  return status === 'False' ? 'notice bad' : 'quiet';
};

/** How its signature was judged, where one is asked for. */
function signature({ spec, status }: Repository, say: Say): Markup | undefined {
  if (spec.verification === undefined) return undefined;
  const found = status?.conditions?.find(({ type }) => type === 'Verified');
  if (found === undefined) return html`${say('untested')}`;
  return html`${badge(found.status === 'True' ? 'Signed' : 'Refused', say)}
  ${message(found.message, undefined, say)}`;
}

function basics(item: Repository, say: Say): Markup {
  const { spec, status, metadata } = item;
  return facts([
    [say('image'), html`<code>${status?.domain ?? ''}/${spec.repository}:${spec.tag}</code>`],
    [say('digest'), status?.digest === undefined ? undefined : html`<code>${status.digest}</code>`],
    [say('signature'), signature(item, say)],
    [say('lastSynced'), time(status?.lastSynced)],
    [say('interval'), spec.syncInterval ?? '1h'],
    [say('description'), annotation(item, 'description')],
    [say('owner'), annotation(item, 'owner')],
    [say('contact'), annotation(item, 'support-contact')],
    [say('created'), time(metadata.creationTimestamp)],
  ]);
}

function edit(item: Repository, at: string, say: Say): Markup {
  const text = (label: string, name: string, key: string) =>
    field(label, html`<input name="${name}" value="${annotation(item, key)}" />`);
  return html`<details>
    <summary>${say('edit')}</summary>
    <form class="bar" hx-post="/console/images/edit?${at}" hx-target="#notice">
      ${text(say('displayName'), 'displayName', 'display-name')}
      ${text(say('description'), 'description', 'description')} ${text(say('owner'), 'owner', 'owner')}
      ${text(say('contact'), 'supportContact', 'support-contact')}
      <button class="first">${say('save')}</button>
    </form>
  </details>`;
}

function dependencies({ spec, metadata, status }: Repository, say: Say): Markup {
  const { name, namespace = metadata.namespace ?? '' } = spec.registryRef;
  const at = `ns=${encodeURIComponent(namespace)}&name=${encodeURIComponent(name)}`;
  return facts([
    [
      say('registry'),
      html`<a href="#/sources/details?${at}">${namespace}/${name}</a> ${status?.domain ?? ''}`,
    ],
  ]);
}
