import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

/** `docs/lifecycle-tests.md` promises that a test shows each sentence: a renamed test must not leave the promise alone. */
const rows = readFileSync(join(import.meta.dirname, '../docs/lifecycle-tests.md'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.endsWith('| shown by |'));
const catalogue = 'J01 J02 J03 J05 J06 J07 J08 J10 J11 J12 J13 J15 J16 J17 J18 J20'.split(' ');

/** The named tests of a cell: each file with the words that follow it. */
const named = (cell: string): readonly { readonly file: string; readonly words: readonly string[] }[] =>
  cell.split('; ').map((part) => ({
    file: /^`([a-z0-9/-]+)`/.exec(part)?.[1] ?? '',
    words: [...part.matchAll(/“([^”]+)”/g)].map(([, text = '']) => text),
  }));

for (const row of rows) {
  const [, what = '', cell = ''] = row.split('|').map((text) => text.trim());
  test(`the tests that show "${what.slice(0, 70)}" are there`, () => {
    for (const { file, words } of named(cell)) {
      const path = join(import.meta.dirname, `${file}.test.ts`);
      assert.ok(file !== '' && existsSync(path), `${file} in ${cell}`);
      assert.ok(words.length > 0, `${file} names no test`);
      const text = readFileSync(path, 'utf8');
      for (const each of words) assert.ok(text.includes(each), `${file} has no “${each}”`);
    }
  });
}

test('every row of heading J of the fault catalogue is in the table', () => {
  const ids = rows.flatMap((row) => /^\| (J\d\d) \|/.exec(row)?.[1] ?? []);
  assert.deepEqual(ids, catalogue);
});
