import assert from 'node:assert/strict';
import { test } from 'node:test';
import { registryWarnings } from '../../../domain/registry/warning.ts';

test('only what the distribution spec calls a warning is one', () => {
  const heard: readonly (readonly [string, readonly string[]])[] = [
    ['299 - "ends in May"', ['ends in May']],
    ['299 - "say \\"yes\\""', ['say "yes"']],
    ['299 - ""', []],
    ['199 - "miscellaneous"', []],
    ['110 - "Response is stale"', []],
    ['299 proxy.example "stale"', []],
    ['299 - "dated" "Tue, 24 Nov 2026 08:49:37 GMT"', []],
    ['299 - unquoted', []],
    ['', []],
  ];
  for (const [header, texts] of heard) assert.deepEqual(registryWarnings([header]), texts, header);
});

test('a warning is one line without control characters, of bounded length, and without secrets', () => {
  const [escape, long, secret] = registryWarnings([
    '299 - "a\u001b[2Jb\u0085c"',
    `299 - "${'x'.repeat(5000)}"`,
    '299 - "you sent Authorization: Basic cm9ib3Q6c2VjcmV0"',
  ]);
  assert.equal(escape, 'a [2Jb c');
  assert.equal(long, `${'x'.repeat(300)}…`);
  assert.doesNotMatch(secret ?? '', /cm9ib3Q6/);
});

test('a long header of backslashes takes no long time', () => {
  assert.deepEqual(registryWarnings([`299 - "${'\\'.repeat(60_001)}`]), []);
});
