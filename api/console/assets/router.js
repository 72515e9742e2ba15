// The address after # is the view: it can be kept, shared, and gone back to.
import { signedIn } from './session.js';

const start = '/images';
const namespaceKey = 'imageferry-namespace';
const namespaced = new Set(['/images', '/sources', '/cleanup']);
const view = () => document.getElementById('view');
let shown = '';
let keepsNotice = false;

/** Loads the view that the address names. The same view again is changed in place, so that focus and typing stay. */
export async function open() {
  if (!signedIn()) return;
  if (!location.hash.startsWith('#/')) history.replaceState(null, '', `#${start}`);
  const [path, query = ''] = location.hash.slice(1).split('?');
  const parameters = new URLSearchParams(query);
  if (namespaced.has(path)) keepNamespace(parameters);
  const again = path === shown;
  markCurrent(path);
  if (!again) {
    if (!keepsNotice) document.getElementById('notice').replaceChildren();
    keepsNotice = false;
    view().textContent = view().dataset.loading;
  }
  shown = path;
  const swap = again ? 'innerMorph' : 'innerHTML';
  await globalThis.htmx.ajax('GET', `/console${path}?${parameters}`, {
    source: '#view',
    target: '#view',
    swap,
  });
  const heading = view().querySelector('h2');
  if (heading !== null)
    document.title = `${heading.textContent.trim()} – ${document.querySelector('h1').textContent}`;
  if (!again) view().focus({ preventScroll: true });
}

/** The namespace that was chosen last holds in all views that have one. */
function keepNamespace(parameters) {
  if (parameters.has('ns')) sessionStorage.setItem(namespaceKey, parameters.get('ns'));
  else parameters.set('ns', sessionStorage.getItem(namespaceKey) ?? '_all_');
}

function markCurrent(path) {
  for (const link of document.querySelectorAll('nav a')) {
    const current = path === link.hash.slice(1) || path.startsWith(`${link.hash.slice(1)}/`);
    if (current) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
}

/** Goes to a view; where it is shown already, it is loaded again. With `keep`, the notice stays: it tells why. */
export function goto(hash, keep = false) {
  keepsNotice = keep;
  if (location.hash === hash) void open();
  else location.hash = hash;
}

/** Forms that choose what is shown become the address; choosing from a list is enough. */
export function startRouter() {
  globalThis.addEventListener('hashchange', () => {
    if (location.hash.startsWith('#/')) void open();
  });
  document.addEventListener('submit', (event) => {
    const { route } = event.target.dataset;
    if (route === undefined) return;
    event.preventDefault();
    const chosen = [...new FormData(event.target)].filter(([, value]) => value !== '');
    goto(`#${route}?${new URLSearchParams(chosen)}`);
  });
  document.addEventListener('change', (event) => {
    const form = event.target.closest('form[data-route]');
    if (form !== null && event.target.matches('select')) form.requestSubmit();
  });
  document.querySelector('.skip').addEventListener('click', (event) => {
    event.preventDefault();
    view().focus();
  });
  document.getElementById('language').addEventListener('click', (event) => {
    event.preventDefault();
    location.href = event.currentTarget.getAttribute('href') + location.hash;
  });
}
