import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asFailure, type Failure } from '../../../domain/failure.ts';
import { HostBudget } from '../../../infra/registry/host-budget.ts';

async function refusal(budget: HostBudget): Promise<Failure | undefined> {
  return budget.enter().then(() => undefined, asFailure);
}

test('a host that is left alone is told with what it failed of, and how often', async () => {
  const budget = new HostBudget('edge.example:5000', { breakAfter: 3, breakMs: 60_000 });
  budget.failed('Timeout');
  budget.failed('ConnectionRefused');
  assert.equal(await refusal(budget), undefined);
  budget.failed('ConnectionRefused');
  const refused = await refusal(budget);
  assert.equal(refused?.code, 'RegistryUnavailable');
  assert.equal(
    refused.message,
    'The registry is not available (edge.example:5000; 3 times in a row: The connection was refused)',
  );
  assert.ok((refused.retryAfterMs ?? 0) > 50_000);
});

test('a host that answered is not left alone any more', async () => {
  const budget = new HostBudget('edge.example:5000', { breakAfter: 1, breakMs: 60_000 });
  budget.failed('ConnectionRefused');
  budget.served();
  assert.equal(await refusal(budget), undefined);
});
