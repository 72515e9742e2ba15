import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cutPage, rowTests, type ListView } from '../../../domain/api/list-view.ts';
import type { ListQuery } from '../../../domain/api/list-query.ts';
import { ListRow } from '../../../domain/api/list-row.ts';
import { ListScope } from '../../../domain/api/list-scope.ts';
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
const row = (one: Item): ListRow<Item> => new ListRow(one, one.id);
const changes = fc.array(fc.tuple(item, fc.boolean()), { maxLength: 40 });

test('a list that is kept up is always the list sorted anew', () => {
  fc.assert(
    fc.property(fc.array(item), changes, fc.boolean(), (start, later, descending) => {
      const sort = { field: 'size', descending };
      const query = { page: 1, limit: 500, sort };
      const scope = new ListScope(view);
      const state = new Map(start.map((one) => [one.id, row(one)]));
      for (const one of state.values()) scope.put(one);
      scope.page(query);
      for (const [one, gone] of later) {
        const changed = row(one);
        if (gone) scope.delete(one.id);
        else scope.put(changed);
        if (gone) state.delete(one.id);
        else state.set(one.id, changed);
        assert.deepEqual(scope.page(query).items, new SortedList(view, sort, state.values()).rows());
        assert.equal(scope.size, state.size);
      }
    }),
  );
});

test('a text is made of an item once, and anew of the item that takes its place', () => {
  const scope = new ListScope(view);
  const query = { page: 1, limit: 1, sort: { field: 'name', descending: false } };
  const texts = (): string[] => scope.page(query).items.map((one) => one.text('size', ({ size }) => size));
  scope.put(row({ id: 'a', size: '1' }));
  assert.deepEqual([texts(), texts()], [['1'], ['1']]);
  scope.put(row({ id: 'a', size: '2' }));
  assert.deepEqual(texts(), ['2']);
  let made = 0;
  const one = row({ id: 'b', size: '3' });
  const show = (item: Item): object => ({ ...item, made: (made += 1) });
  for (let time = 0; time < 3; time += 1) one.text('n', () => String((made += 1)));
  for (let time = 0; time < 3; time += 1)
    assert.equal(new TextDecoder().decode(one.json(show)), '{"id":"b","size":"3","made":2}');
});

test('pages are disjoint and together they are the list', () => {
  const items = Array.from({ length: 23 }, (_, number) => ({ id: `i${number}`, size: String(number % 3) }));
  const all = new SortedList(view, { field: 'size', descending: false }, items.map(row)).rows();
  const pages = [1, 2, 3].flatMap((page) => cutPage(all, { page, limit: 10 }).items);
  assert.deepEqual(pages, all);
  assert.deepEqual(cutPage(all, { page: 4, limit: 10 }), { items: [], totalItems: 23 });
});

test('a search that is kept up always finds what a new one would, and old ones are forgotten', () => {
  fc.assert(
    fc.property(fc.array(item), changes, (start, later) => {
      const sort = { field: 'name', descending: true };
      const query = { page: 1, limit: 500, sort, equals: { size: '2' } };
      const scope = new ListScope(view);
      for (const one of start) scope.put(row(one));
      const state = new Map(start.map((one) => [one.id, one]));
      for (const [one, gone] of later) {
        scope.page(query);
        if (gone) scope.delete(one.id);
        else scope.put(row(one));
        if (gone) state.delete(one.id);
        else state.set(one.id, one);
        const wanted = [...state.values()].filter(({ size }) => size === '2').map(({ id }) => id);
        const { items, totalItems } = scope.page(query);
        assert.deepEqual(
          items.map(({ identity }) => identity),
          wanted.toSorted().toReversed(),
        );
        assert.equal(totalItems, wanted.length);
        for (let other = 0; other < 40; other += 7) scope.page({ ...query, search: `no ${other}` });
      }
    }),
  );
});

test('all words must occur, in any case, and none across two fields', () => {
  const items = [
    { id: 'Nginx', size: '12' },
    { id: 'redis', size: '34' },
  ];
  const rows = items.map(row);
  const filtered = (query: Pick<ListQuery, 'search' | 'name' | 'equals'>): readonly string[] =>
    rows.filter((one) => rowTests(view, query).every((test) => test(one))).map(({ identity }) => identity);
  const found = (search: string) => filtered({ search });
  assert.deepEqual(found('NGINX'), ['Nginx']);
  assert.deepEqual(found(' ngi  12 '), ['Nginx']);
  assert.deepEqual(found('x1'), []);
  assert.deepEqual(found('ngi 34'), []);
  assert.deepEqual(filtered({ name: '34' }), []);
  assert.deepEqual(filtered({ equals: { size: '34' } }), ['redis']);
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
