// Files need the token, so a plain link will not do.
import { headers } from './session.js';

/** Saves what the API sends: what may be large goes straight to disk where the browser can, all else through its own store. */
async function save(button) {
  const { download, name, large } = button.dataset;
  const asks = large === 'true' && globalThis.showSaveFilePicker !== undefined;
  const picked = asks
    ? await globalThis.showSaveFilePicker({ suggestedName: name }).catch(() => null)
    : undefined;
  if (picked === null) return;
  const response = await fetch(download, { headers: headers() });
  if (!response.ok) throw new Error((await response.json()).message);
  if (picked !== undefined) {
    await response.body.pipeTo(await picked.createWritable());
    return;
  }
  const link = document.createElement('a');
  link.href = URL.createObjectURL(await response.blob());
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

async function fill({ files: [file], form, dataset: { fills } }) {
  if (file !== undefined) form.elements[fills].value = await file.text();
}

function warn(message) {
  const line = document.createElement('p');
  line.className = 'notice bad';
  line.role = 'alert';
  line.textContent = message;
  document.getElementById('notice').replaceChildren(line);
}

/** Buttons that save a file, and file fields that fill a text field. */
export function startDownloads() {
  document.addEventListener('click', (event) => {
    const button = event.target.closest('[data-download]');
    if (button === null) return;
    button.disabled = true;
    save(button)
      .catch((error) => warn(error.message))
      .finally(() => {
        button.disabled = false;
      });
  });
  document.addEventListener('change', ({ target }) => {
    if (target.dataset.fills !== undefined) void fill(target);
  });
}
