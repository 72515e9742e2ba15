import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FailureCode } from '../../../domain/failure.ts';
import type { RegistrySecret } from '../../../domain/resources/registry-secret.ts';
import { verifiedStatus, type VerifyResult } from '../../../domain/sync/verification.ts';

const secret: RegistrySecret = {
  apiVersion: 'image.theriseunion.io/v1alpha1',
  kind: 'RegistrySecret',
  metadata: { name: 'hub', namespace: 'shop', generation: 1 },
  spec: { domain: 'hub.example', username: 'u', password: '<encrypted>', provider: 'other' },
};
const good: VerifyResult = { success: true, outcome: { capabilities: [], expires: '2026-02-01T00:00:00Z' } };
const bad = (code: FailureCode): VerifyResult => ({ success: false, failure: { code } });

/** Tests one after the other; what people are told after each. */
function told(results: readonly VerifyResult[]): { readonly turns: string[]; readonly last: RegistrySecret } {
  let last = secret;
  const turns = results.map((result, index) => {
    const { status, turn } = verifiedStatus(
      last,
      result,
      `2026-01-01T00:${String(index).padStart(2, '0')}:00Z`,
    );
    last = { ...last, status };
    return turn ?? '-';
  });
  return { turns, last };
}

const down = bad('ConnectionRefused');
const histories: readonly (readonly [string, readonly VerifyResult[], readonly string[]])[] = [
  ['the first test is told of', [good, good, good], ['connected', '-', '-']],
  ['a failing first test is told of', [down, down], ['lost', '-']],
  [
    'one failure in between is not told of',
    [good, down, good, down, good],
    ['connected', '-', '-', '-', '-'],
  ],
  ['a registry that stays away is told of once', [good, down, down, down], ['connected', '-', 'lost', '-']],
  [
    'one that is back is told of once it stays',
    [good, down, down, good, down, good, good],
    ['connected', '-', 'lost', '-', '-', '-', 'connected'],
  ],
  [
    'a refused password is told of at once',
    [good, bad('Unauthorized'), good, good],
    ['connected', 'lost', '-', 'connected'],
  ],
];
for (const [sentence, results, turns] of histories) {
  test(sentence, () => assert.deepEqual(told(results).turns, turns));
}

test('Verified is the last test, also while Connected waits; what the credential can do goes with it', () => {
  const { last } = told([good, down]);
  const states = last.status?.conditions?.map(({ type, status }) => `${type}=${status}`).sort();
  assert.deepEqual(states, ['Connected=True', 'Verified=False']);
  assert.equal(last.status?.expires, undefined);
  assert.equal(told([good]).last.status?.expires, '2026-02-01T00:00:00Z');
});

test('where images are pushed to a registry of somebody’s own, the condition asks for gcSettleSeconds until it is set', () => {
  const may = (...actions: readonly ('pull' | 'push')[]): VerifyResult => ({
    success: true,
    outcome: { capabilities: [{ scope: 'team/app', actions }] },
  });
  const rows: readonly (readonly [Partial<RegistrySecret['spec']>, VerifyResult, boolean])[] = [
    [{}, may('pull', 'push'), true],
    [{ domain: '10.0.0.5:5000' }, may('pull', 'push'), true],
    [{}, may('pull'), false],
    [{ gcSettleSeconds: 0 }, may('pull', 'push'), false],
    [{ gcSettleSeconds: 900 }, may('pull', 'push'), false],
    [{ domain: 'docker.io' }, may('pull', 'push'), false],
    [{ domain: 'edge-registry.cn-hangzhou.cr.aliyuncs.com' }, may('pull', 'push'), false],
    [{ domain: 'notghcr.io' }, may('pull', 'push'), true],
    [{}, bad('Unauthorized'), false],
  ];
  for (const [spec, result, advised] of rows) {
    const { status } = verifiedStatus(
      { ...secret, spec: { ...secret.spec, ...spec } },
      result,
      '2026-01-01T00:00:00Z',
    );
    const said = (type: string): string =>
      status.conditions?.find((condition) => condition.type === type)?.message ?? '';
    assert.equal(said('Verified').includes('gcSettleSeconds'), advised, JSON.stringify(spec));
    assert.ok(!said('Connected').includes('gcSettleSeconds'));
  }
});
