import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decidePrune } from '../../../domain/lifecycle/prune.ts';
import { parseTag } from '../../../domain/names/tag.ts';

const tags = (...names: readonly string[]) => names.map(parseTag);
const many = (count: number) => tags(...Array.from({ length: count }, (_, index) => `v${index}`));
const claims = (declared: readonly string[] = []) => ({
  selects: (tag: string) => tag.startsWith('v'),
  declared: new Set(declared),
  wantedElsewhere: () => false,
});

test('only tags that the selector takes, that nobody declares and that upstream lacks are pruned', () => {
  const decision = decidePrune(
    tags('v1'),
    tags('v1', 'v2', 'v3', 'prod', 'imageferry-parked-x'),
    claims(['v3']),
  );
  assert.deepEqual(decision, { vanished: ['v2'] });
});

test('J06 J07 an empty listing and a listing that lost too much hold', () => {
  assert.equal(decidePrune([], tags('v1'), claims()).hold, 'ListingSuspicious');
  assert.equal(decidePrune(tags('v0'), many(12), claims()).hold, 'DeleteGuard');
  assert.equal(decidePrune(tags('v0'), many(11), claims()).hold, undefined);
  assert.equal(decidePrune(many(109), many(120), claims()).hold, undefined);
  assert.deepEqual(decidePrune([], [], claims()), { vanished: [] });
});
