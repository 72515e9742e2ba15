import { html } from 'hono/html';
import type { Markup } from './markup.ts';
import type { Refused } from './viewer.ts';
import type { Say } from './words.ts';

/** What the page does once it has shown a notice. */
export interface NoticeEffect {
  /** Whether it went well. Default: true. */
  readonly good?: boolean;
  /** Loads the view again and empties the form that was sent. Default: false. */
  readonly refresh?: boolean;
  /** Goes to another view, such as `#/images`. Default: stays. */
  readonly goto?: string;
  /** Loads a fragment into an element. Default: none. */
  readonly load?: { readonly from: string; readonly into: string };
}

/** What became of a wish, as one line for the notice at the top. */
export function notice(message: string, effect: NoticeEffect = {}): Markup {
  const { good = true, refresh = false, goto = '', load } = effect;
  return html`<p
    class="notice ${good ? 'good' : 'bad'}"
    data-refresh="${String(refresh)}"
    data-goto="${goto}"
    data-load="${load?.from ?? ''}"
    data-into="${load?.into ?? ''}"
  >
    ${message}
  </p>`;
}

/** A notice that nothing was done. */
export const warning = (message: string): Markup => html`<p class="notice bad" role="alert">${message}</p>`;

/** What went wrong: the API's words, its stable code, and the id by which its log has it. */
export function errorBox({ message, status, code, requestId }: Refused, say: Say): Markup {
  return html`<div class="notice bad" role="alert">
    <p>${message === '' ? say('noAnswer') : message}</p>
    <p class="quiet">
      <code>${code}</code> HTTP ${status} ${requestId === '' ? '' : html`${say('request')} ${requestId}`}
    </p>
  </div>`;
}
