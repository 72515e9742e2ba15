import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { parseRepositoryPath } from '../../../domain/names/repository-path.ts';
import { parseTag } from '../../../domain/names/tag.ts';
import type { RepositoryEndpoint } from '../../../infra/copy/engine.ts';
import { RegistryClients } from '../../../infra/registry/registry-client.ts';
import { createCopyEngine } from '../../../infra/registry/registry-copy-engine.ts';
import { RegistryStore } from '../../../infra/registry/registry-store.ts';
import { createRegistryVerifier } from '../../../infra/registry/registry-verifier.ts';
import { startRegistryProcess, type RegistryProcess } from '../../support/registry-process.ts';
import { pushSample, randomBlob, sampleImage } from '../../support/sample-image.ts';
import { SigningTokenServer } from '../../support/signing-token-server.ts';

const credential = { username: 'alice', password: 'canary-password' };
let tokens: SigningTokenServer;
let registry: RegistryProcess;
let clients: RegistryClients;

before(async () => {
  tokens = await SigningTokenServer.start(credential);
  registry = await startRegistryProcess({ tokens: tokens.auth });
});
beforeEach(async () => {
  await clients?.close();
  clients = new RegistryClients();
  tokens.asked.length = 0;
  tokens.granted = ['pull', 'push', 'delete', '*'];
});
after(async () => {
  await clients.close();
  await Promise.all([registry.stop(), tokens.stop()]);
});

const at = (path: string, allowedRealms: readonly string[] = [tokens.origin]): RepositoryEndpoint => ({
  registry: { domain: registry.domain, provider: 'other', credential, allowedRealms },
  path: parseRepositoryPath(path),
});

const push = async (path: string): Promise<void> => {
  const { manifest, blobs } = sampleImage([randomBlob(2_000_000), randomBlob(1000)]);
  const endpoint = at(path);
  const store = new RegistryStore(clients.of(endpoint.registry), endpoint.path, 'destination');
  await pushSample(store, blobs, [manifest], 'v1');
};

const copy = async (from: string, to: string): Promise<void> => {
  const engine = createCopyEngine(clients);
  const root = await engine.resolve(at(from), parseTag('v1'));
  assert.ok(root);
  await engine.copy({ source: at(from), root, target: at(to), tag: parseTag('v1') });
  await engine.verifyGraph(at(to), root.digest, { deep: true });
};

test('B15 a real registry with a token server is read and written with tokens that name one repository each', async () => {
  await push('tokens/app');
  await copy('tokens/app', 'tokens/mirror');
  const scopes = tokens.asked.flat();
  assert.ok(scopes.some((scope) => scope.startsWith('repository:tokens/mirror:') && scope.includes('push')));
  const ofSource = scopes.filter((scope) => scope.startsWith('repository:tokens/app:'));
  assert.ok(
    ofSource.some((scope) => !scope.includes('push')),
    'reading asks for no more than reading',
  );
  const kinds = new Set(tokens.asked.map((each) => each.join(' ')));
  assert.equal(tokens.asked.length, kinds.size, 'one request for each kind of token');
});

test('B10 a token that the registry calls expired is fetched anew, and the copy goes on', async () => {
  await push('stale/app');
  tokens.stale = 1;
  await clients.close();
  clients = new RegistryClients();
  await copy('stale/app', 'stale/mirror');
  assert.equal(tokens.stale, 0, 'the expired token was handed out');
});

test('B10 a token that has had its time is not sent again', async () => {
  await push('short/app');
  tokens.expiresIn = 1;
  try {
    await clients.close();
    clients = new RegistryClients();
    const engine = createCopyEngine(clients);
    await engine.resolve(at('short/app'), parseTag('v1'));
    const once = tokens.asked.length;
    await new Promise((resolve) => setTimeout(resolve, 1000));
    await engine.resolve(at('short/app'), parseTag('v1'));
    assert.equal(tokens.asked.length, once + 1);
  } finally {
    tokens.expiresIn = 300;
  }
});

test('B01 a token server that was not declared is not asked', async () => {
  const engine = createCopyEngine(clients);
  await assert.rejects(engine.resolve(at('tokens/app', []), parseTag('v1')), { code: 'RealmNotAllowed' });
  assert.equal(tokens.asked.length, 0);
});

test('B12 a token with fewer rights than asked for is Forbidden at the first push, and verification tells which', async () => {
  tokens.granted = ['pull'];
  await assert.rejects(push('tokens/locked'), { code: 'Forbidden' });
  const { capabilities } = await createRegistryVerifier().verify(at('tokens/app').registry, [
    parseRepositoryPath('tokens/app'),
  ]);
  assert.deepEqual(capabilities.at(-1), { scope: 'tokens/app', actions: ['pull'] });
});

test('a wrong password is Unauthorized', async () => {
  const wrong = { ...at('tokens/app').registry, credential: { username: 'alice', password: 'no' } };
  await assert.rejects(createRegistryVerifier().verify(wrong, []), { code: 'Unauthorized' });
});
