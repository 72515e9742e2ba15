// The token lives in this tab's session only and goes out as a bearer token, never as a cookie.
const key = 'imageferry-token';

/** Whether a token is there. */
export const signedIn = () => sessionStorage.getItem(key) !== null;

/** Headers of a call to the API in the language of the page. */
export const headers = () => ({
  Authorization: `Bearer ${sessionStorage.getItem(key) ?? ''}`,
  'Accept-Language': document.documentElement.lang,
});

const element = (id) => document.getElementById(id);

/** Shows what is for those who are signed in, or the form to sign in. `refused` says that the token was not accepted. */
export function showSession(refused = false) {
  const inside = signedIn();
  element('sign-in').hidden = inside;
  for (const one of [element('view'), element('sign-out'), document.querySelector('nav')])
    one.hidden = !inside;
  element('refused').hidden = !refused;
  if (!inside) element('token').focus();
}

/** Forgets the token and everything that was shown with it. */
export function signOut(refused = false) {
  sessionStorage.removeItem(key);
  element('view').replaceChildren();
  element('notice').replaceChildren();
  showSession(refused);
}

/** Wires the two forms; `open` shows the view once a token is there. */
export function startSession(open) {
  element('sign-in').addEventListener('submit', (event) => {
    event.preventDefault();
    sessionStorage.setItem(key, element('token').value.trim());
    element('token').value = '';
    showSession();
    open();
  });
  element('sign-out').addEventListener('click', () => signOut());
  document.addEventListener('htmx:config:request', (event) => {
    Object.assign(event.detail.ctx.request.headers, headers());
  });
  document.addEventListener('htmx:before:response', (event) => {
    if (event.detail.ctx.response.status !== 401) return;
    event.preventDefault();
    signOut(true);
  });
}
