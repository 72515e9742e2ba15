import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';

type Edit = readonly [file: string, find: string, put: string];

interface Mutation {
  readonly row: string;
  readonly test: string;
  readonly without: string;
  readonly edits: readonly Edit[];
}

const root = join(import.meta.dirname, '../..');
const mutations = parse(
  readFileSync(join(import.meta.dirname, 'mutations.yaml'), 'utf8'),
) as readonly Mutation[];

/** What is wrong with a mutation; undefined where it can still be made in one way only. */
function staleness({ row, test: file, without, edits }: Mutation): string | undefined {
  const texts = new Map<string, string>();
  const name = `${row} without ${without}`;
  for (const [path, find, put] of edits) {
    const text = texts.get(path) ?? readFileSync(join(root, path), 'utf8');
    const found = text.split(find).length - 1;
    if (found !== 1) return `${name}: ${path} has ${found} of: ${find}`;
    if (find === put) return `${name}: ${path} stays as it is`;
    texts.set(
      path,
      text.replace(find, () => put),
    );
  }
  const rows = readFileSync(join(root, `test/${file}.test.ts`), 'utf8');
  return new RegExp(`['"\`][^'"\`\\n]*\\b${row}\\b`).test(rows)
    ? undefined
    : `${name}: no such row in ${file}`;
}

/** Rows without a mutation, and why. */
const exceptions: Readonly<Record<string, string>> = {
  G13: 'its workflow runs in Temporal’s test server, which the copies of the source do not start',
  I10: 'the race with a real registry; the same controls are taken out for I11 and its neighbours',
  J11: 'planning is handed nothing that could delete: there is no control to take out',
};

/** The rows whose tests are in a folder: ids in the names of tests. */
function testedRows(folder: string, headings: RegExp): ReadonlySet<string> {
  const files = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' });
  const names = files
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => readFileSync(join(root, folder, file), 'utf8'))
    .flatMap((text) => text.match(/\b(?:row|test)\(\s*['"`][^\n]*/g) ?? []);
  return new Set(
    names.flatMap((name) => name.match(/\b[A-J]\d\d\b/g) ?? []).filter((id) => headings.test(id)),
  );
}

test('every row of the catalogue that has a test has a control that is taken out, or a reason why not', () => {
  const rows = new Set([...testedRows('test', /^[A-I]/), ...testedRows('test/faults', /^J/)]);
  assert.ok(rows.size > 110, `${rows.size} rows`);
  const seen = new Set(mutations.flatMap(({ row }) => row.match(/\b[A-J]\d\d\b/g) ?? []));
  assert.deepEqual([...rows].filter((row) => !seen.has(row) && exceptions[row] === undefined).sort(), []);
  assert.deepEqual(
    Object.keys(exceptions).filter((row) => seen.has(row) || !rows.has(row)),
    [],
    'an exception that is none',
  );
});

test('every control that can be taken out is still in its place, once, and its row exists', () => {
  assert.ok(mutations.length > 100);
  assert.deepEqual(
    mutations.map(staleness).filter((each) => each !== undefined),
    [],
  );
});
