import { html } from 'hono/html';
import type { Condition } from '../../domain/resources/meta.ts';
import { message, type Markup } from './markup.ts';
import type { Say } from './words.ts';

/** Conditions that tell of trouble where they are true. */
const badWhenTrue: ReadonlySet<string> = new Set(['Degraded']);

/**
 * The conditions that somebody should look at: a credential that is gone, a schedule that is paused, a worker that is
 * silent, a bundle that is not complete. `elsewhere` names those that the view shows by other means.
 */
export function troubles(
  conditions: readonly Condition[] | undefined,
  say: Say,
  elsewhere: readonly string[] = [],
): Markup {
  const found = (conditions ?? []).filter(
    ({ type, status }) => !elsewhere.includes(type) && status === (badWhenTrue.has(type) ? 'True' : 'False'),
  );
  return html`${found.map(
    ({ message: text, reason }) => html`<p class="notice due">${message(text, reason, say)}</p>`,
  )}`;
}
