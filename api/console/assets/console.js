// The token lives in this tab's session only and goes out as a bearer token, never as a cookie.
const key = 'imageferry-token';
const signedIn = () => sessionStorage.getItem(key) !== null;

function show() {
  document.getElementById('sign-in').hidden = signedIn();
  document.getElementById('view').hidden = !signedIn();
  if (signedIn()) globalThis.htmx.trigger('#view', 'signed-in');
}

document.addEventListener('htmx:config:request', (event) => {
  event.detail.ctx.request.headers.Authorization = `Bearer ${sessionStorage.getItem(key) ?? ''}`;
});

document.addEventListener('DOMContentLoaded', () => {
  document.getElementById('sign-in').addEventListener('submit', (event) => {
    event.preventDefault();
    sessionStorage.setItem(key, document.getElementById('token').value.trim());
    document.getElementById('token').value = '';
    show();
  });
  document.getElementById('sign-out').addEventListener('click', () => {
    sessionStorage.removeItem(key);
    location.reload();
  });
  show();
});
