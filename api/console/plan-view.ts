import { html } from 'hono/html';
import type { z } from '@hono/zod-openapi';
import { humanSize } from '../../domain/human-size.ts';
import type { planItemSchema, planSchema } from '../schema/lifecycle.ts';
import { choiceField, filterBar, pageOf, pager, searchField } from './list-frame.ts';
import { badge, digest, table, time, type Markup } from './markup.ts';
import { objectPath, Refused, type Viewer } from './viewer.ts';
import type { Say } from './words.ts';

const route = '/cleanup/plan';
const perPage = 100;
type Plan = z.output<typeof planSchema>;

/** A policy's last plan: every tag, what happens to it and why; to approve exactly this one, and to restore. */
export async function planView(viewer: Viewer): Promise<Markup> {
  const { query, say } = viewer;
  const [namespace, name] = [query('ns'), query('name')];
  const at = `ns=${encodeURIComponent(namespace)}&name=${encodeURIComponent(name)}`;
  const plan = await lastPlan(viewer, objectPath('image-cleanup-policies', namespace, name));
  return html`<h2>${say('plan')} <small>${namespace}/${name}</small></h2>
    <div class="bar">
      <button hx-post="/console/cleanup/run?${at}" hx-target="#notice">${say('planNow')}</button>
      <a href="#/cleanup">${say('cleanup')}</a>
    </div>
    ${plan === undefined ? html`<p class="quiet">${say('noPlan')}</p>` : shown(viewer, plan, at)}`;
}

async function lastPlan(viewer: Viewer, path: string): Promise<Plan | undefined> {
  const { get, query } = viewer;
  const wanted = new URLSearchParams({ limit: String(perPage), page: String(pageOf(viewer)) });
  for (const name of ['search', 'action']) if (query(name) !== '') wanted.set(name, query(name));
  try {
    return await get<Plan>(`${path}/plan?${wanted.toString()}`);
  } catch (error) {
    if (error instanceof Refused && error.status === 404) return undefined;
    throw error;
  }
}

function shown(viewer: Viewer, plan: Plan, at: string): Markup {
  const { say, query } = viewer;
  const names = html`<input type="hidden" name="ns" value="${query('ns')}" /><input
      type="hidden"
      name="name"
      value="${query('name')}"
    />`;
  const headings = [
    say('site'),
    say('path'),
    say('tag'),
    say('digest'),
    say('what'),
    say('reason'),
    say('freed'),
    '',
  ];
  return html`<p>${say('created')} ${time(plan.created)} <code>${plan.hash}</code></p>
    ${holds(plan, say)} ${steer(plan, at, say)}
    ${filterBar(route, say, [
      names,
      searchField(viewer, `${say('path')}, ${say('tag')}`),
      choiceField(viewer, say('what'), 'action', [
        ['delete', say('delete')],
        ['keep', say('keep')],
      ]),
    ])}
    ${table(
      say('plan'),
      headings,
      plan.items.map((item) => row(item, at, say)),
      say('nothing'),
    )}
    ${plan.totalItems > perPage ? pager(viewer, route, perPage, plan.totalItems) : ''}`;
}

function holds({ holds: causes }: Plan, say: Say): Markup {
  if (causes.length === 0) return html``;
  return html`<div class="notice bad">
    <p>${say('holds')}</p>
    <ul>
      ${causes.map(
        ({ code, site, path, detail }) => html`<li><code>${code}</code> ${site} ${path} ${detail}</li>`,
      )}
    </ul>
  </div>`;
}

function steer({ hash, items }: Plan, at: string, say: Say): Markup {
  const started = items.some(({ state }) => state !== undefined);
  const parked = items.some(({ state }) => state === 'parked');
  const approve = html`<form
    hx-post="/console/cleanup/approve?${at}"
    hx-target="#notice"
    hx-confirm="${say('approveSure')}"
  >
    <input type="hidden" name="hash" value="${hash}" /><button class="first">${say('approve')}</button>
  </form>`;
  const restore = html`<form hx-post="/console/cleanup/restore?${at}" hx-target="#notice">
    <button>${say('restoreAll')}</button>
  </form>`;
  const deletes = items.some(({ action }) => action === 'delete');
  return html`<div class="bar">${!started && deletes ? approve : ''} ${parked ? restore : ''}</div>`;
}

function row(item: z.output<typeof planItemSchema>, at: string, say: Say): Markup {
  const restore = html`<form hx-post="/console/cleanup/restore?${at}" hx-target="#notice">
    <input type="hidden" name="tag" value="${item.path}:${item.tag}" /><button>${say('restore')}</button>
  </form>`;
  return html`<tr>
    <td>${item.site}</td>
    <td>${item.path}</td>
    <th scope="row">${item.tag}</th>
    <td>${digest(item.digest)}</td>
    <td>${item.state === undefined ? say(item.action) : badge(item.state, say)}</td>
    <td>${item.reason} ${item.detail ?? ''}</td>
    <td>${item.action === 'delete' ? humanSize(item.bytes) : ''}</td>
    <td>${item.state === 'parked' ? restore : ''}</td>
  </tr>`;
}
