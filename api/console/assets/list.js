// Small things of lists: times in the reader's zone, how many are selected, which columns are shown.
const columnsKey = 'imageferry-columns';

function localTimes() {
  const shown = new Intl.DateTimeFormat(document.documentElement.lang, {
    dateStyle: 'medium',
    timeStyle: 'medium',
  });
  for (const element of document.querySelectorAll('time')) {
    const when = new Date(element.dateTime);
    if (Number.isNaN(when.getTime())) continue;
    const text = shown.format(when);
    if (element.textContent !== text) element.textContent = text;
    element.title = element.dateTime;
  }
}

/** On a narrow page a row is a card, in which each value needs the name of its column. */
function labelCells() {
  for (const table of document.querySelectorAll('table')) {
    const names = [...(table.tHead?.rows[0]?.cells ?? [])].map(({ textContent }) =>
      textContent.replace(/[▲▼]/, '').trim(),
    );
    for (const cell of table.querySelectorAll('td')) labelCell(cell, names);
  }
}

function labelCell(cell, names) {
  const says = cell.textContent.trim() !== '' && cell.querySelector('button, input') === null;
  if (says && cell.colSpan === 1) cell.dataset.label = names[cell.cellIndex] ?? '';
}

/** Commands that name the API name it as this browser reaches it. */
function addressOfApi() {
  for (const element of document.querySelectorAll('[data-origin]')) {
    element.textContent = element.textContent.replace(element.dataset.origin, location.origin);
    delete element.dataset.origin;
  }
}

function countSelected() {
  const counter = document.getElementById('selected');
  if (counter !== null) counter.value = document.querySelectorAll('[name="selected"]:checked').length;
}

function selectAll({ checked }) {
  for (const box of document.querySelectorAll('[name="selected"]')) box.checked = checked;
}

const hidden = () => (localStorage.getItem(columnsKey) ?? '').split(' ').filter(Boolean);

function showColumns() {
  const names = hidden();
  document.body.dataset.hidden = names.join(' ');
  for (const box of document.querySelectorAll('[data-column]'))
    box.checked = !names.includes(box.dataset.column);
}

function chooseColumn({ checked, dataset: { column } }) {
  const others = hidden().filter((name) => name !== column);
  localStorage.setItem(columnsKey, (checked ? others : [...others, column]).join(' '));
  showColumns();
}

/** Starts all of it. */
export function startLists() {
  document.addEventListener('change', ({ target }) => {
    if (target.id === 'select-all') selectAll(target);
    if (target.dataset.column !== undefined) chooseColumn(target);
    countSelected();
  });
  document.addEventListener('htmx:after:swap', () => {
    localTimes();
    addressOfApi();
    labelCells();
    showColumns();
    countSelected();
  });
}
