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
    showColumns();
    countSelected();
  });
}
