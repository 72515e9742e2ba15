import { html } from 'hono/html';
import { humanSize } from '../../domain/human-size.ts';
import type { ImageCleanupPolicy } from '../../domain/resources/image-cleanup-policy.ts';
import { filterBar, namespaceChoice, namespaceOf, pageOf, pager } from './list-frame.ts';
import { badge, table, time, type Markup } from './markup.ts';
import { troubles } from './troubles.ts';
import type { ListBody, Viewer } from './viewer.ts';
import type { Say } from './words.ts';

const route = '/cleanup';
const perPage = 50;

/** The cleanup policies, what each last found, and the way to its plan. */
export async function cleanupView(viewer: Viewer): Promise<Markup> {
  const { get, say } = viewer;
  const namespace = encodeURIComponent(namespaceOf(viewer));
  const [namespaces, { items, totalItems }] = await Promise.all([
    namespaceChoice(viewer),
    get<ListBody<ImageCleanupPolicy>>(
      `/namespaces/${namespace}/image-cleanup-policies?page=${pageOf(viewer)}&limit=${perPage}`,
    ),
  ]);
  const headings = [
    say('policy'),
    say('rules'),
    say('schedule'),
    say('status'),
    say('candidates'),
    say('deletions'),
    say('graceUntil'),
    say('lastRun'),
    say('actions'),
  ];
  return html`<h2>${say('cleanup')}</h2>
    ${filterBar(route, say, [namespaces])}
    ${table(
      say('cleanup'),
      headings,
      items.map((item) => row(item, say)),
      say('noPolicies'),
    )}
    ${totalItems > perPage ? pager(viewer, route, perPage, totalItems) : ''}`;
}

function row({ metadata, spec, status = {} }: ImageCleanupPolicy, say: Say): Markup {
  const { name, namespace = '' } = metadata;
  const at = `ns=${encodeURIComponent(namespace)}&name=${encodeURIComponent(name)}`;
  return html`<tr>
    <th scope="row">
      <a href="#/cleanup/plan?${at}">${name}</a>
      <br /><span class="quiet">${namespace}</span>
    </th>
    <td>${rulesOf(spec)}</td>
    <td>${spec.schedule ?? say('onDemand')}</td>
    <td>${badge(status.phase ?? 'Idle', say)} ${troubles(status.conditions, say, ['Ready'])}</td>
    <td>${status.candidates ?? ''}</td>
    <td>
      ${status.deletions ?? ''}
      ${(status.freedBytes ?? 0) > 0 ? `(${say('freed')} ${humanSize(status.freedBytes ?? 0)})` : ''}
    </td>
    <td>${time(status.graceUntil)}</td>
    <td>${time(status.lastRun)}</td>
    <td>
      <button hx-post="/console/cleanup/run?${at}" hx-target="#notice" aria-label="${say('planNow')} ${name}">
        ${say('planNow')}
      </button>
    </td>
  </tr>`;
}

/** The rules in the words of the policy's own fields, so that they can be found there. */
function rulesOf(spec: ImageCleanupPolicy['spec']): string {
  const rules = [
    'keepRecent',
    'keepDays',
    'unusedDays',
    'majorVersions',
    'minorVersions',
    'patches',
  ] as const;
  const set = rules.filter((rule) => spec[rule] !== undefined).map((rule) => `${rule} ${spec[rule]}`);
  const flags = (['dryRun', 'requireApproval'] as const).filter((flag) => spec[flag] === true);
  return [...set, ...flags].join(', ');
}
