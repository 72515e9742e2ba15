import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { filterItems, cutPage, type ListView } from '../../../domain/api/list-view.ts';
import { parseLimit, parsePage, parseSort } from '../../../domain/api/list-query.ts';
import { SortedList } from '../../../domain/api/sorted-list.ts';

interface Item {
  readonly id: string;
  readonly size: string;
}

const view: ListView<Item> = {
  fields: { name: ({ id }) => id, size: ({ size }) => size },
  searched: ['name', 'size'],
  named: ['name'],
  identity: ({ id }) => id,
};

const item = fc.record({
  id: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g'),
  size: fc.constantFrom('', '1', '2', 'X'),
});
const changes = fc.array(fc.tuple(item, fc.boolean()), { maxLength: 40 });

test('a list that is kept up is always the list sorted anew', () => {
  fc.assert(
    fc.property(
      fc.array(item),
      fc.array(changes, { maxLength: 5 }),
      fc.boolean(),
      (start, rounds, descending) => {
        const order = { field: 'size', descending };
        const state = new Map(start.map((one) => [one.id, one]));
        const list = new SortedList(view, order, [...state.values()]);
        for (const round of rounds) {
          for (const [one, gone] of round) {
            list.change(one, gone);
            if (gone) state.delete(one.id);
            else state.set(one.id, one);
          }
          assert.deepEqual(list.items(), new SortedList(view, order, [...state.values()]).items());
        }
      },
    ),
  );
});

test('pages are disjoint and together they are the list', () => {
  const items = Array.from({ length: 23 }, (_, number) => ({ id: `i${number}`, size: String(number % 3) }));
  const all = new SortedList(view, { field: 'size', descending: false }, items).items();
  const pages = [1, 2, 3].flatMap((page) => cutPage(all, { page, limit: 10 }).items);
  assert.deepEqual(pages, all);
  assert.deepEqual(cutPage(all, { page: 4, limit: 10 }), { items: [], totalItems: 23 });
});

test('all words must occur, in any case, and none across two fields', () => {
  const items = [
    { id: 'Nginx', size: '12' },
    { id: 'redis', size: '34' },
  ];
  const base = { page: 1, limit: 10, sort: { field: 'name', descending: false } };
  const found = (search: string) => filterItems(items, view, { ...base, search }).map(({ id }) => id);
  assert.deepEqual(found('NGINX'), ['Nginx']);
  assert.deepEqual(found(' ngi  12 '), ['Nginx']);
  assert.deepEqual(found('x1'), []);
  assert.deepEqual(found('ngi 34'), []);
  assert.deepEqual(filterItems(items, view, { ...base, name: '34' }), []);
  assert.deepEqual(filterItems(items, view, { ...base, equals: { size: '34' } }).length, 1);
});

test('P15: page, limit and sort take whole numbers and known fields only', () => {
  assert.deepEqual(
    [parsePage(undefined), parsePage('3'), parseLimit(''), parseLimit('1000000000')],
    [1, 3, 10, 500],
  );
  for (const text of ['0', '-1', '1.5', 'x', '1e3', ' 1']) {
    assert.throws(() => parsePage(text), { code: 'InvalidRequest' });
    assert.throws(() => parseLimit(text), { code: 'InvalidRequest' });
  }
  assert.deepEqual(parseSort('-size', ['name', 'size']), { field: 'size', descending: true });
  assert.throws(() => parseSort('constructor', ['name']), { code: 'InvalidRequest' });
});
