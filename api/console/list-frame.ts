import { html } from 'hono/html';
import { allNamespaces } from '../route.ts';
import { field, type Markup } from './markup.ts';
import { Refused, type ListBody, type Viewer } from './viewer.ts';
import type { Say } from './words.ts';

/** The namespace that a view looks at; `_all_` where none is chosen. */
export const namespaceOf = ({ query }: Viewer): string => query('ns') || allNamespaces;

/** The namespaces to choose from, `all` first. Who may not list them all names one. */
export async function namespaceChoice(viewer: Viewer): Promise<Markup> {
  const { say } = viewer;
  const chosen = namespaceOf(viewer);
  const known = await usedNamespaces(viewer);
  if (known === undefined) {
    return field(say('namespace'), html`<input name="ns" value="${shown(chosen)}" required />`);
  }
  const names = chosen === allNamespaces || known.includes(chosen) ? known : [chosen, ...known];
  return field(
    say('namespace'),
    html`<select name="ns">
      <option value="${allNamespaces}">${say('allNamespaces')}</option>
      ${names.map((name) => option(name, name, chosen))}
    </select>`,
  );
}

const shown = (namespace: string): string => (namespace === allNamespaces ? '' : namespace);

async function usedNamespaces({ get }: Viewer): Promise<readonly string[] | undefined> {
  try {
    const { items } = await get<ListBody<{ readonly name: string }>>('/namespaces');
    return items.map(({ name }) => name);
  } catch (error) {
    if (error instanceof Refused && error.status === 403) return undefined;
    throw error;
  }
}

/** An option, selected where it is the chosen one. */
export const option = (value: string, label: string, chosen: string): Markup =>
  value === chosen
    ? html`<option value="${value}" selected>${label}</option>`
    : html`<option value="${value}">${label}</option>`;

/** The fields that choose what part of a list is shown. They become the view's address, so that it can be kept and shared. */
export function filterBar(route: string, say: Say, fields: readonly Markup[]): Markup {
  return html`<form class="bar" role="search" data-route="${route}">
    ${fields}<button>${say('show')}</button>
  </form>`;
}

/** A search field. */
export const searchField = ({ say, query }: Viewer, placeholder: string): Markup =>
  field(
    say('search'),
    html`<input name="search" type="search" value="${query('search')}" placeholder="${placeholder}" />`,
  );

/** A text field of a filter that keeps what was asked for. */
export const textField = ({ query }: Viewer, label: string, name: string, placeholder = ''): Markup =>
  field(label, html`<input name="${name}" value="${query(name)}" placeholder="${placeholder}" />`);

/** A choice of a filter; the first, empty, means all. */
export function choiceField(
  { say, query }: Viewer,
  label: string,
  name: string,
  choices: readonly (readonly [string, string])[],
): Markup {
  return field(
    label,
    html`<select name="${name}">
      <option value="">${say('all')}</option>
      ${choices.map(([value, text]) => option(value, text, query(name)))}
    </select>`,
  );
}

/** A column's heading that sorts by it; once more turns the order round. */
export function sortHeading(viewer: Viewer, route: string, column: string, label: string): Markup {
  const sort = viewer.query('sort') || 'name';
  const descending = sort === `-${column}`;
  const active = sort === column || descending;
  const target = withQuery(viewer, route, { sort: sort === column ? `-${column}` : column });
  const arrow = active ? (descending ? '▼' : '▲') : '';
  return html`<a class="sort" href="${target}" data-sorted="${String(active)}"
    >${label} <span aria-hidden="true">${arrow}</span></a
  >`;
}

/** The address of a view with the present one's query, some of it changed; without `page` in it, from the first page. */
export function withQuery(
  { parameters }: Pick<Viewer, 'parameters'>,
  route: string,
  changes: Readonly<Record<string, string>>,
): string {
  const { page: _, ...kept } = parameters;
  return `#${route}?${new URLSearchParams({ ...kept, ...changes }).toString()}`;
}

/** The number of the page that is asked for, from 1. */
export const pageOf = ({ query }: Viewer): number => Math.max(1, Number.parseInt(query('page'), 10) || 1);

/** Links to the pages before and after, where there are any. */
export function pager(viewer: Viewer, route: string, limit: number, total: number): Markup {
  const page = pageOf(viewer);
  const link = (to: number, word: string) =>
    html`<a href="${withQuery(viewer, route, { page: String(to) })}">${word}</a>`;
  const first = total === 0 ? 0 : (page - 1) * limit + 1;
  return html`<p class="bar quiet">
    ${page > 1 ? link(page - 1, viewer.say('previous')) : ''}
    <span>${first} – ${Math.min(total, page * limit)} / ${total}</span>
    ${page * limit < total ? link(page + 1, viewer.say('next')) : ''}
  </p>`;
}
