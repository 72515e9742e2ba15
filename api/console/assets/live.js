// What goes on: an image's event stream, things that are looked at again, and what a notice asks for.
import { goto, open } from './router.js';
import { headers, signedIn } from './session.js';

const everyMs = 1000;
let stream;
let streamed = '';

/** Loads a fragment over an element. */
const load = (from, element) =>
  globalThis.htmx.ajax('GET', from, { source: element, target: element, swap: 'outerMorph' });

/** Looks again, once a second, at whatever says that it is not finished. */
function poll() {
  if (!signedIn() || document.hidden) return;
  for (const element of document.querySelectorAll('[data-poll]')) void load(element.dataset.poll, element);
}

/** Follows the event stream of the image that is looked at, and no other. EventSource cannot send a token. */
function follow() {
  const section = document.querySelector('[data-progress]');
  const url = section === null ? '' : section.dataset.progress;
  if (url === streamed) return;
  stream?.abort();
  streamed = url;
  if (url === '') return;
  stream = new AbortController();
  void read(url, stream.signal);
}

async function read(url, signal) {
  try {
    const response = await fetch(url, { headers: headers(), signal });
    let text = '';
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      const events = (text + part.value).split('\n\n');
      text = events.pop();
      for (const event of events) take(event);
    }
  } catch {
    // a broken stream is one that ended
  }
  if (signal.aborted) return;
  // It ends when the server restarts, or the image is gone: look again, as long as it is looked at.
  setTimeout(() => {
    streamed = '';
    if (!signal.aborted) follow();
  }, 5 * everyMs);
}

function take(event) {
  const data = event.split('\n').find((line) => line.startsWith('data: '));
  const section = document.querySelector('[data-progress]');
  if (data === undefined || section === null || !event.startsWith('event: progress')) return;
  const { syncStatus, syncProgress, lastSynced = '', message = '' } = JSON.parse(data.slice(6));
  const state = [syncStatus, lastSynced, message].join(' ');
  const known = section.dataset.state;
  section.dataset.state = state;
  if (syncStatus !== section.dataset.status || (known !== undefined && known !== state)) {
    void open();
    return;
  }
  const bar = section.querySelector('progress');
  if (bar !== null) bar.value = Number.parseInt(syncProgress, 10) || 0;
  const output = section.querySelector('output');
  if (output !== null) output.textContent = syncProgress;
}

/** Does what an answer asks for once it is shown; `sent` is the element whose wish it answers. */
function react(target, sent) {
  const wish = target.querySelector(
    '[data-refresh="true"], [data-goto]:not([data-goto=""]), [data-load]:not([data-load=""])',
  );
  if (wish === null) return;
  const { refresh, goto: to = '', load: from = '', into = '' } = wish.dataset;
  delete wish.dataset.refresh;
  const row = document.getElementById(into);
  if (from !== '' && row !== null) void load(from, row);
  if (to !== '') goto(to, true);
  if (refresh === 'true') {
    const form = sent?.closest('form');
    form?.reset();
    form?.closest('details')?.removeAttribute('open');
    void open();
  }
}

/** Starts all of it. */
export function startLive() {
  setInterval(poll, everyMs);
  document.addEventListener('htmx:after:swap', (event) => {
    const { target, sourceElement } = event.detail.ctx;
    if (target?.id === 'notice' || target?.closest?.('#batch') !== null)
      react(target.parentElement ?? target, sourceElement);
    follow();
  });
}
