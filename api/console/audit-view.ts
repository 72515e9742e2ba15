import { html } from 'hono/html';
import { auditStages, type AuditRecord } from '../../domain/audit/record.ts';
import { basePath } from '../mount.ts';
import { choiceField, filterBar, pageOf, pager, textField } from './list-frame.ts';
import { badge, table, time, type Markup } from './markup.ts';
import type { ListBody, Viewer } from './viewer.ts';
import type { Say } from './words.ts';

const route = '/audit';
const perPage = 50;
const filters = ['since', 'until', 'user', 'verb', 'resource', 'namespace', 'name', 'stage'] as const;

/** Who did what, when, from where, and how it ended. */
export async function auditView(viewer: Viewer): Promise<Markup> {
  const { get, say, query } = viewer;
  const wanted = new URLSearchParams();
  for (const name of filters) if (query(name) !== '') wanted.set(name, query(name));
  const all = `${basePath}/audit?${new URLSearchParams([...wanted, ['format', 'ndjson']]).toString()}`;
  wanted.set('page', String(pageOf(viewer)));
  wanted.set('limit', String(perPage));
  const { items, totalItems } = await get<ListBody<AuditRecord>>(`/audit?${wanted.toString()}`);
  const headings = [
    say('when'),
    say('who'),
    say('did'),
    say('object'),
    say('stage'),
    say('from'),
    say('request'),
  ];
  return html`<h2>${say('audit')}</h2>
    ${filterBar(route, say, fields(viewer))}
    <p><button type="button" data-download="${all}" data-name="audit.ndjson">${say('export')}</button></p>
    ${table(
      say('audit'),
      headings,
      items.map((item) => row(item, say)),
      say('nothing'),
    )}
    ${pager(viewer, route, perPage, totalItems)}`;
}

function fields(viewer: Viewer): readonly Markup[] {
  const { say } = viewer;
  return [
    textField(viewer, say('since'), 'since', '2026-01-31T00:00:00Z'),
    textField(viewer, say('until'), 'until', '2026-01-31T00:00:00Z'),
    textField(viewer, say('who'), 'user'),
    textField(viewer, say('verb'), 'verb', 'delete'),
    textField(viewer, say('resource'), 'resource', 'repositories'),
    textField(viewer, say('namespace'), 'namespace'),
    textField(viewer, say('name'), 'name'),
    choiceField(
      viewer,
      say('stage'),
      'stage',
      auditStages.map((stage) => [stage, say(stage)]),
    ),
  ];
}

function row(record: AuditRecord, say: Say): Markup {
  const { resource, subresource, namespace, name } = record.object;
  const where = [namespace, name].filter((part) => part !== undefined && part !== '').join('/');
  const { code, reason } = record.outcome ?? {};
  return html`<tr>
    <td>${time(record.time)}</td>
    <td>${record.actor.name}</td>
    <td>${record.verb} ${resource}${subresource === undefined ? '' : `/${subresource}`}</td>
    <td>${where}</td>
    <td>
      ${badge(record.stage, say)} ${code ?? ''} ${reason === undefined ? '' : html`<code>${reason}</code>`}
    </td>
    <td>${record.source}</td>
    <td><code>${record.id}</code></td>
  </tr>`;
}
