import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { call, freshNamespace } from '../support/api-client.ts';
import { apply, kubectl } from '../support/kubectl.ts';
import { endpoints } from '../support/stack.ts';

const { registries, tokens } = endpoints();
const { upstream } = registries;
let ns = '';

interface AuditItem {
  readonly stage: string;
  readonly verb: string;
  readonly stream: string;
  readonly actor: { readonly name: string };
  readonly trigger?: string;
  readonly onBehalfOf?: string;
  readonly workflow?: { readonly id: string; readonly runId: string };
  readonly images?: readonly { readonly site: string; readonly digestAfter?: string }[];
}

const secret = (name: string, password: string) => ({
  apiVersion: 'image.theriseunion.io/v1alpha1',
  kind: 'RegistrySecret',
  metadata: { name, namespace: ns },
  spec: { domain: upstream.domain, username: upstream.username, password, provider: 'other' },
});
const repository = {
  apiVersion: 'image.theriseunion.io/v1alpha1',
  kind: 'Repository',
  metadata: { name: 'demo' },
  spec: { repository: 'nowhere/demo', tag: 'v1', registryRef: { name: 'hub' } },
};

async function audit(query: string): Promise<readonly AuditItem[]> {
  const answer = await call(tokens.admin, 'GET', `/audit?limit=500&namespace=${ns}&${query}`);
  assert.equal(answer.status, 200);
  return (answer.json.items as AuditItem[]).toReversed();
}

before(async () => {
  ns = await freshNamespace('kubectl-audit');
});

test('what is done with kubectl is audited under the name of who did it, with intent, outcome and Event', async () => {
  assert.equal((await apply(secret('hub', upstream.password))).code, 0);
  assert.equal((await apply({ ...repository, metadata: { name: 'demo', namespace: ns } })).code, 0);
  for (const request of ['manual-sync', 'cancel-sync'])
    await kubectl(['-n', ns, 'annotate', 'repository', 'demo', `theriseunion.io/${request}=once`]);
  await eventually(async () => {
    const [{ actor } = { actor: { name: '' } }] = await audit('stream=api&verb=cancel-sync');
    const told = (await audit('stream=worker&name=demo')).flatMap(({ stage, verb, trigger, onBehalfOf }) =>
      onBehalfOf === actor.name ? [`${verb} ${trigger} ${stage}`] : [],
    );
    for (const action of ['start-sync create', 'start-sync manual', 'stop-sync manual'])
      for (const stage of ['Requested', 'Completed'])
        assert.ok(told.includes(`${action} ${stage}`), told.join());
  });
  const slower = JSON.stringify({ spec: { syncInterval: '2h' } });
  await kubectl(['-n', ns, 'patch', 'repository', 'demo', '--type=merge', '-p', slower]);
  await eventually(async () => {
    const told = await audit('stream=worker&name=demo&verb=set-schedule&stage=Completed');
    assert.ok(told.length > 1);
  });
  await kubectl(['-n', ns, 'delete', 'repository', 'demo']);
  await eventually(async () => {
    const [{ actor } = { actor: { name: '' } }] = await audit('stream=api&verb=delete');
    const told = (await audit('stream=worker&name=demo')).flatMap(({ stage, verb, onBehalfOf }) =>
      verb.endsWith('-schedule') ? [`${verb} ${stage} for ${onBehalfOf}`] : [],
    );
    // The first one came with the Repository; whether that is looked up again is the reconciler's affair.
    const [made, done] = told;
    assert.deepEqual(
      [made, done],
      ['set-schedule Requested for undefined', 'set-schedule Completed for undefined'],
    );
    for (const change of ['set-schedule', 'delete-schedule'])
      for (const stage of ['Requested', 'Completed'])
        assert.ok(told.includes(`${change} ${stage} for ${actor.name}`), told.join());
  });
  await eventually(async () => {
    const items = await audit('stream=api');
    assert.deepEqual(
      items.map(({ stage, verb }) => `${verb} ${stage}`).sort(),
      ['cancel-sync', 'create', 'create', 'delete', 'sync', 'update']
        .flatMap((verb) => [`${verb} Completed`, `${verb} Requested`])
        .sort(),
    );
    assert.ok(
      items.every(({ actor }) => !actor.name.includes('image-controller')),
      'the person, not we',
    );
  });
  const { stdout } = await kubectl(['-n', ns, 'get', 'events', '--field-selector', 'reason=ImageManagement']);
  assert.match(stdout, /CreateRepository Repository demo: success/);
});

test('a credential that another password would replace is refused, and the refusal is in the log', async () => {
  assert.notEqual((await apply(secret('hub', 'another'))).code, 0);
  const refused = await audit('stage=Denied');
  assert.deepEqual(
    refused.map(({ verb }) => verb),
    ['update'],
  );
});

test('what a call asks for and what its workflow did are found by the run that both name', async () => {
  const created = await call(tokens.admin, 'POST', `/namespaces/${ns}/repositories`, {
    ...repository,
    metadata: { name: 'asked' },
  });
  assert.equal(created.status, 201);
  const { json } = await call(tokens.admin, 'POST', `/namespaces/${ns}/repositories/asked/sync`);
  await eventually(async () => {
    const items = await audit(`workflow=${json.runId}`);
    const told = items.map(({ stream, verb, stage }) => `${stream} ${verb} ${stage}`);
    assert.ok(told.includes('api sync Completed'), told.join());
    assert.ok(told.includes('worker sync Requested'), told.join());
    assert.ok(told.includes('worker sync Failed'), told.join());
  });
});

async function eventually(check: () => Promise<void>): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await check();
    } catch (error) {
      if (tries === 60) throw error;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}
