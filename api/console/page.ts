import { html } from 'hono/html';
import type { Language } from '../../domain/api/status.ts';
import type { Markup } from './markup.ts';
import { wordsIn, type Word } from './words.ts';

const views: readonly Word[] = ['images', 'sources', 'sites', 'bundles', 'cleanup', 'storage', 'audit'];

/** The console's one page: a frame that loads its views once a token is there. It says nothing that needs a right. */
export function consolePage(language: Language): Markup {
  const say = wordsIn(language);
  const other = language === 'en' ? (['zh', '中文'] as const) : (['en', 'English'] as const);
  return html`<!doctype html>
    <html lang="${language}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta
          name="htmx-config"
          content='{"includeIndicatorCSS":false,"history":false,"morphIgnore":["data-htmx-powered","open"]}'
        />
        <title>${say('title')}</title>
        <link rel="icon" href="/console/icon.svg" />
        <link rel="stylesheet" href="/console/console.css" />
        <script src="/console/htmx.js" defer></script>
        <script src="/console/console.js" type="module"></script>
      </head>
      <body>
        <a class="skip" href="#view">${say('skip')}</a>
        <header>
          <h1>${say('title')}</h1>
          <nav aria-label="${say('title')}" hidden>
            ${views.map((view) => html`<a href="#/${view}">${say(view)}</a>`)}
          </nav>
          <p class="bar">
            <a id="language" href="/console?lang=${other[0]}" lang="${other[0]}">${other[1]}</a>
            <button id="sign-out" hidden>${say('signOut')}</button>
          </p>
        </header>
        <form id="sign-in" hidden>
          <label for="token">${say('token')}</label>
          <input id="token" type="password" autocomplete="off" spellcheck="false" required />
          <button class="first">${say('signIn')}</button>
          <p class="quiet">
            ${say('tokenHint')} <code>kubectl create token NAME --audience edge-image-api</code>
          </p>
          <p id="refused" role="alert" class="notice bad" hidden>${say('tokenRefused')}</p>
        </form>
        <div id="notice" role="status"></div>
        <main id="view" tabindex="-1" data-loading="${say('loading')}"></main>
        <noscript><p class="notice bad">${say('needsScript')}</p></noscript>
      </body>
    </html>`;
}
