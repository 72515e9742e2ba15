import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { demoRegistry } from '../../infra/local/demo/registry.ts';
import type { RegistrySecret } from '../../domain/resources/registry-secret.ts';
import { liveSync, until } from '../support/live-sync.ts';
import { madeImage } from '../support/made-image.ts';
import { endpoints } from '../support/stack.ts';

const { upstream } = endpoints().registries;
const live = liveSync();
const secrets = live.resources.resource('registrysecrets');

/** A registry that answers or is out of order, as it is told. */
let isUp = true;
const registry = createServer((_request, response) => {
  response.writeHead(isUp ? 200 : 503, { 'docker-distribution-api-version': 'registry/2.0' }).end('{}');
});

before(() => new Promise<void>((resolve) => void registry.listen(0, '127.0.0.1', resolve)));
after(async () => {
  registry.closeAllConnections();
  registry.close();
  await live.close();
});

async function verified(name: string): Promise<RegistrySecret> {
  const ref = { namespace: live.namespace, name };
  await live.gateway.awaitVerify(await live.gateway.startVerify(ref), 60_000);
  const found = await secrets.get(ref);
  assert.ok(found !== undefined);
  return found;
}

/** Events of the worker about a connection; the API's own are about calls of people. */
async function events({ metadata }: RegistrySecret): Promise<number> {
  const found = await live.eventsOf(metadata.uid ?? '');
  return found.filter(({ action }) => action === 'VerifyConnection').length;
}

/** What the first test by the reconciler said has been told. */
async function settled(name: string): Promise<RegistrySecret> {
  return until(`the first test of ${name}`, async () => {
    const found = await secrets.get({ namespace: live.namespace, name });
    return found !== undefined && (await events(found)) > 0 ? found : undefined;
  });
}

test('a test tells for each repository in use what the credential may do there, and says so once', async () => {
  const path = `test/${live.unique('connection')}`;
  await demoRegistry(upstream).push(path, '1', madeImage([100]));
  const name = await live.secret(upstream);
  const repository = await live.repository(name, { repository: path, tag: '1' });
  await live.ended(repository);
  await settled(name);
  for (let count = 0; count < 3; count += 1) await verified(name);
  const found = await verified(name);
  assert.deepEqual(
    found.status?.capabilities?.find(({ scope }) => scope === path)?.actions,
    ['pull', 'push'],
    JSON.stringify(found.status),
  );
  assert.equal(await events(found), 1);
});

test('a registry that comes and goes is shown as it is, and told of only when it stays', async () => {
  const { port } = registry.address() as AddressInfo;
  const name = await live.secret({ domain: `127.0.0.1:${port}`, username: 'u', password: 'p' });
  await settled(name);
  const seen: string[] = [];
  let told = 0;
  for (const up of [false, true, false, false, true, true]) {
    isUp = up;
    const found = await verified(name);
    const of = (type: string): string =>
      found.status?.conditions?.find((condition) => condition.type === type)?.status ?? '';
    seen.push(`${of('Verified')} ${of('Connected')}`);
    told = await events(found);
  }
  assert.deepEqual(seen, ['False True', 'True True', 'False True', 'False False', 'True False', 'True True']);
  // What is said twice within an hour is one Event: connected, and lost.
  assert.ok(told === 2 || told === 3, `${told} Events`);
});
