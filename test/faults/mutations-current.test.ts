import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
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

test('every control that can be taken out is still in its place, once, and its row exists', () => {
  assert.ok(mutations.length > 100);
  assert.deepEqual(
    mutations.map(staleness).filter((each) => each !== undefined),
    [],
  );
});
