import assert from 'node:assert/strict';
import { test } from 'node:test';
import { someNames } from '../../domain/some-names.ts';
import { describeOutcome } from '../../domain/sync/words.ts';
import { parseDigest } from '../../domain/names/digest.ts';
import { planOf } from '../support/sync-scene.ts';

test('a long list of names ends with how many there are besides', () => {
  assert.equal(someNames([], 2), '');
  assert.equal(someNames(['a', 'b'], 2), 'a, b');
  assert.equal(someNames(['a', 'b', 'c'], 2), 'a, b and 1 more');
});

test('however many sites with long names there are, a condition has room for what happened there', () => {
  const sites = Array.from({ length: 1000 }, (_, index) => ({
    site: `${index}`.padEnd(63, 'x'),
    queue: 'q',
  }));
  const message = describeOutcome({
    plan: planOf('wide', { sites }),
    run: { workflowId: 'w', runId: 'r', trigger: 'create', started: '2026-01-01T00:00:00Z' },
    ended: '2026-01-01T00:00:10Z',
    result: 'Success',
    tally: {
      images: 1,
      changed: 1,
      failed: 0,
      bytesMoved: 10,
      bytesReused: 0,
      shown: [
        {
          tag: 'v1',
          digest: parseDigest(`sha256:${'a'.repeat(64)}`),
          sites: [],
          bytesMoved: 10,
          bytesReused: 0,
          changed: true,
        },
      ],
    },
  });
  assert.match(message, /and 995 more: .* 等 1000 个站点/);
  assert.ok(Buffer.byteLength(message) < 2000, message);
});
