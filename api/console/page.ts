import { html } from 'hono/html';
import type { Language } from '../../domain/api/status.ts';
import { wordsIn } from './words.ts';

/** Markup that `hono/html` made: every value in it is escaped. */
export type Markup = ReturnType<typeof html>;

/** The console's one page: a frame that loads its views once a token is there. It says nothing that needs a right. */
export function consolePage(language: Language): Markup {
  const say = wordsIn(language);
  return html`<!doctype html>
    <html lang="${language}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <meta name="htmx-config" content='{"includeIndicatorCSS":false}' />
        <title>${say('title')}</title>
        <link rel="stylesheet" href="/console/console.css" />
        <script src="/console/console.js" defer></script>
        <script src="/console/htmx.js" defer></script>
      </head>
      <body>
        <header>
          <h1>${say('title')}</h1>
          <nav>
            <button hx-get="/console/images" hx-target="#view">${say('images')}</button>
            <button hx-get="/console/sources" hx-target="#view">${say('sources')}</button>
            <button id="sign-out">${say('signOut')}</button>
          </nav>
        </header>
        <form id="sign-in">
          <input id="token" type="password" autocomplete="off" placeholder="${say('token')}" required />
          <button>${say('signIn')}</button>
        </form>
        <p id="notice" role="status"></p>
        <main id="view" hx-get="/console/images" hx-trigger="signed-in"></main>
      </body>
    </html>`;
}
