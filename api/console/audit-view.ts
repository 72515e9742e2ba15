import { html } from 'hono/html';
import type { AuditAction } from '../../domain/audit/fold-actions.ts';
import { auditStages } from '../../domain/audit/record.ts';
import { basePath } from '../mount.ts';
import { choiceField, filterBar, pageOf, pager, textField } from './list-frame.ts';
import { badge, field, table, time, type Markup } from './markup.ts';
import type { ListBody, Viewer } from './viewer.ts';
import type { Say } from './words.ts';

const route = '/audit';
const perPage = 50;
const filters = ['since', 'until', 'user', 'verb', 'resource', 'namespace', 'name', 'stage'] as const;

const dayMs = 86_400_000;
const wholeDay = /^\d{4}-\d\d-\d\d$/;

/** The bounds of a time that is given as a day, in UTC: the day of `until` is in it. Whatever else is given stays. */
function bound(name: (typeof filters)[number], value: string): string {
  if ((name !== 'since' && name !== 'until') || !wholeDay.test(value)) return value;
  const start = Date.parse(`${value}T00:00:00Z`);
  if (Number.isNaN(start)) return value;
  return new Date(name === 'since' ? start : start + dayMs).toISOString();
}

/** Who did what, when, from where, and how it ended; what was asked for is folded into its outcome. */
export async function auditView(viewer: Viewer): Promise<Markup> {
  const { get, say, query } = viewer;
  const wanted = new URLSearchParams();
  for (const name of filters) if (query(name) !== '') wanted.set(name, bound(name, query(name)));
  const all = `${basePath}/audit?${new URLSearchParams([...wanted, ['format', 'ndjson']]).toString()}`;
  wanted.set('page', String(pageOf(viewer)));
  wanted.set('limit', String(perPage));
  wanted.set('fold', 'true');
  const { items, totalItems } = await get<ListBody<AuditAction>>(`/audit?${wanted.toString()}`);
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
    dayField(viewer, say('since'), 'since'),
    dayField(viewer, say('until'), 'until'),
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

/** A day in UTC; of a time that was given with its hour, in an older address, the day is shown. */
const dayField = ({ query }: Viewer, label: string, name: string): Markup =>
  field(label, html`<input name="${name}" type="date" value="${query(name).slice(0, 10)}" />`);

function row(record: AuditAction, say: Say): Markup {
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
      ${earlier(record, say)}
    </td>
    <td>${record.source}</td>
    <td><code>${record.id}</code></td>
  </tr>`;
}

/** What was written of the action before, one click away. */
function earlier({ earlier: before = [] }: AuditAction, say: Say): Markup | string {
  const [first] = before;
  if (first === undefined) return '';
  return html`<details>
    <summary>${say(first.stage)} ${time(first.time)}</summary>
    ${before.slice(1).map((one) => html`<div>${say(one.stage)} ${time(one.time)}</div>`)}
  </details>`;
}
