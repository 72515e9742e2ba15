import { html } from 'hono/html';
import { inLanguage } from '../../domain/api/reader-words.ts';
import { statusWord, type Say } from './words.ts';

/** Markup that `hono/html` made: every value in it is escaped. */
export type Markup = ReturnType<typeof html>;

const tones: Readonly<Record<string, string>> = {
  Success: 'good',
  Unchanged: 'good',
  Synced: 'good',
  Signed: 'good',
  Done: 'good',
  Completed: 'good',
  Acknowledged: 'good',
  Staged: 'good',
  success: 'good',
  restored: 'good',
  Failed: 'bad',
  Refused: 'bad',
  Denied: 'bad',
  Held: 'bad',
  Expired: 'bad',
  failed: 'bad',
  Syncing: 'busy',
  Staging: 'busy',
  Planning: 'busy',
  Deleting: 'busy',
  Waiting: 'due',
  Pinned: 'due',
  Accepted: 'good',
  Started: 'busy',
  Unknown: 'bad',
  AwaitingApproval: 'due',
  Grace: 'due',
  parked: 'due',
};

/** A status as a word on a coloured ground; the word says it all, the colour only helps. */
export const badge = (status: string, say: Say): Markup =>
  html`<span class="badge ${tones[status] ?? 'calm'}">${statusWord(status, say)}</span>`;

/** A message of a condition in the reader's language, with its code where it has one. */
export const message = (text: string | undefined, reason: string | undefined, say: Say): Markup =>
  html`${inLanguage(text ?? '', say.language)} ${reason === undefined ? '' : html`<code>${reason}</code>`}`;

/** A time; the browser shows it in the reader's own zone. */
export const time = (text: string | undefined): Markup =>
  text === undefined || text === '' ? html`–` : html`<time datetime="${text}">${text}</time>`;

/** A digest, short; its whole is one hover or copy away. */
export function digest(text: string | undefined): Markup {
  if (text === undefined || text === '') return html`–`;
  return html`<code title="${text}">${text.length > 23 ? `${text.slice(0, 19)}…` : text}</code>`;
}

/** A table with a heading for each column and a caption for those who cannot see it. `hint` is shown where it is empty. */
export function table(
  caption: string,
  headings: readonly (string | Markup)[],
  rows: readonly Markup[],
  hint: string,
): Markup {
  if (rows.length === 0) return html`<p class="quiet">${hint}</p>`;
  return html`<div class="scroll">
    <table>
      <caption>
        ${caption}
      </caption>
      <thead>
        <tr>
          ${headings.map((heading) => html`<th scope="col">${heading}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </div>`;
}

/** Names and values, one below the other; a value that is not there is left out. */
export function facts(pairs: readonly (readonly [string, string | number | Markup | undefined])[]): Markup {
  const known = pairs.filter(([, value]) => value !== undefined && value !== '');
  return html`<dl>
    ${known.map(
      ([name, value]) =>
        html`<dt>${name}</dt>
          <dd>${value}</dd>`,
    )}
  </dl>`;
}

/** A labelled field; `input` is its control. */
export const field = (label: string, input: Markup): Markup =>
  html`<label class="field"><span>${label}</span>${input}</label>`;

/** Deleting asks for the name, typed. */
export function confirmDelete(action: string, name: string, say: Say, more?: Markup): Markup {
  return html`<details class="danger">
    <summary>${say('remove')}</summary>
    <form class="bar" hx-post="${action}" hx-target="#notice">
      ${field(
        `${say('typeName')}: ${name}`,
        html`<input name="confirm" autocomplete="off" spellcheck="false" required />`,
      )}
      ${more ?? html``}
      <button class="danger">${say('remove')}</button>
    </form>
  </details>`;
}
