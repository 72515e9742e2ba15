import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RepositorySpec } from '../../../domain/resources/repository.ts';
import { isWanted, wantedOf } from '../../../domain/sync/plan.ts';

const spec = (change: Partial<RepositorySpec> = {}): RepositorySpec => ({
  repository: 'a/b',
  tag: '1',
  registryRef: { name: 'hub' },
  ...change,
});
const sites = Array.from({ length: 1000 }, (_, index) => `site-${index}`.padEnd(63, 'x'));

test('what is wanted does not change with an interval or a retry, and does with a tag, a site or a pin', () => {
  for (const named of [{}, { sites }]) {
    const before = spec(named);
    const claim = { wanted: wantedOf(before) };
    assert.ok(isWanted(claim, { ...before, syncInterval: '2h', retryCount: 7 }));
    for (const change of [
      { tag: '2' },
      { sites: [...sites.slice(1), 'other'] },
      { pinnedDigest: 'sha256:a' },
    ])
      assert.ok(!isWanted(claim, { ...before, ...change }), JSON.stringify(change).slice(0, 80));
  }
});

test('a step does not carry the names of a thousand sites to say what was wanted', () => {
  assert.ok(wantedOf(spec({ sites })).length < 100);
});

test('a run that began when it carried all of them is still wanted', () => {
  const { repository, tag, registryRef } = spec();
  const wanted = JSON.stringify([repository, tag, registryRef, sites, null, null, null, null]);
  assert.ok(isWanted({ wanted }, spec({ sites })));
});
