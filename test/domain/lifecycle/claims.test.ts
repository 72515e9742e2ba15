import assert from 'node:assert/strict';
import { test } from 'node:test';
import { imageClaims } from '../../../domain/lifecycle/cleanup-scope.ts';
import { decidePrune, pruneClaims } from '../../../domain/lifecycle/prune.ts';
import { parseTag } from '../../../domain/names/tag.ts';
import type { Repository, RepositorySpec } from '../../../domain/resources/repository.ts';

const tags = (...names: readonly string[]) => names.map(parseTag);

function repository(name: string, change: Partial<RepositorySpec> = {}, namespace = 'team-a'): Repository {
  return {
    apiVersion: 'image.theriseunion.io/v1alpha1',
    kind: 'Repository',
    metadata: { namespace, name, uid: `${namespace} ${name}` },
    spec: { repository: 'lib/app', tag: 'none', registryRef: { name: 'hub' }, ...change },
  };
}

const pruning = (name: string, glob: string, change: Partial<RepositorySpec> = {}): Repository =>
  repository(name, { tagSelector: { glob }, prune: true, ...change });

test('J04 what the selector of another namespace takes is claimed there, however little its status names', () => {
  const own = repository('own', { tagSelector: { glob: '*' } });
  const foreign = repository('foreign', { tagSelector: { glob: 'v*' } }, 'team-b');
  const claims = imageClaims('lib/app', [own, foreign], ['team-a']);
  assert.equal(claims.wantedElsewhere(parseTag('v77')), true);
  assert.equal(claims.wantedElsewhere(parseTag('dev')), false);
  const covered = imageClaims('lib/app', [own, foreign], ['team-a', 'team-b']);
  assert.equal(covered.wantedElsewhere(parseTag('v77')), false);
});

const others: readonly (readonly [string, Repository])[] = [
  ['comes from another registry', pruning('other', 'prod-*', { registryRef: { name: 'second' } })],
  ['prunes nothing', repository('other', { tagSelector: { glob: 'prod-*' } })],
  [
    'is of another namespace',
    { ...pruning('other', 'prod-*'), metadata: { namespace: 'team-b', name: 'x' } },
  ],
  ['names the tag', repository('other', { tag: 'prod-1' })],
];
for (const [why, other] of others)
  test(`a Repository prunes nothing of another one of the same path that ${why}`, () => {
    for (const own of [pruning('own', 'v*'), pruning('own', '*')]) {
      const claims = pruneClaims(own, [own, other]);
      const decision = decidePrune(tags('v1'), tags('v1', 'v2', 'prod-1'), claims);
      assert.deepEqual(decision, { vanished: ['v2'] });
    }
  });

test('Repositories that prune after the same registry agree on what vanished there', () => {
  const [own, mate] = [pruning('own', 'v*'), pruning('mate', '*')];
  const claims = pruneClaims(own, [own, mate]);
  assert.deepEqual(decidePrune(tags('v1'), tags('v1', 'v2', 'prod-1'), claims), { vanished: ['v2'] });
});
