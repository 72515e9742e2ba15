import assert from 'node:assert/strict';
import { after, beforeEach, before, test } from 'node:test';
import { parseRegistryDomain } from '../../../domain/names/registry-domain.ts';
import { parseRepositoryPath } from '../../../domain/names/repository-path.ts';
import { parseTag } from '../../../domain/names/tag.ts';
import { parseProxySettings } from '../../../domain/registry/proxy.ts';
import type { RegistryAccess, RepositoryEndpoint } from '../../../infra/copy/engine.ts';
import { RegistryClients } from '../../../infra/registry/registry-client.ts';
import { createCopyEngine } from '../../../infra/registry/registry-copy-engine.ts';
import { sampleImage } from '../../support/misbehaving-registry/images.ts';
import { selfSigned } from '../../support/misbehaving-registry/certificate.ts';
import { MisbehavingRegistry } from '../../support/misbehaving-registry/registry.ts';
import { Trace } from '../../support/misbehaving-registry/trace.ts';
import { ForwardProxy } from '../../support/proxy.ts';

const host = 'registry.invalid';
const pair = selfSigned({ dns: host });
const credential = { username: 'alice', password: 'canary-registry' };
const proxyBasic = `Basic ${Buffer.from('door:canary-proxy').toString('base64')}`;
let proxy: ForwardProxy;
let clients: RegistryClients;
const trace = new Trace();
const auth = { kind: 'basic', ...credential } as const;
const secure = new MisbehavingRegistry(trace, { tls: pair, auth });
const plain = new MisbehavingRegistry(trace, { auth });

before(async () => {
  [proxy] = await Promise.all([ForwardProxy.start(), secure.listen(), plain.listen()]);
});
beforeEach(async () => {
  await clients?.close();
  const address = `http://door:canary-proxy@127.0.0.1:${proxy.port}`;
  clients = new RegistryClients({
    proxies: parseProxySettings({ HTTPS_PROXY: address, HTTP_PROXY: address, NO_PROXY: 'direct.invalid' }),
  });
  proxy.calls.length = 0;
  proxy.refusal = undefined;
});
after(async () => {
  await clients.close();
  await Promise.all([proxy.stop(), secure.close(), plain.close()]);
});

const at = (
  registry: MisbehavingRegistry,
  path: string,
  access: Partial<RegistryAccess> & { readonly name?: string } = {},
): RepositoryEndpoint => {
  const { name = host, ...more } = access;
  const tls = registry === secure;
  return {
    registry: {
      domain: parseRegistryDomain(`${name}:${new URL(registry.origin).port}`),
      provider: 'other',
      credential,
      ...(tls ? { caBundle: pair.cert } : { insecure: true }),
      ...more,
    },
    path: parseRepositoryPath(path),
  };
};

for (const [what, from, to] of [
  ['a TLS registry is read and a plain one written', secure, plain],
  ['a plain registry is read and a TLS one written', plain, secure],
] as const) {
  test(`C15 ${what} through a proxy that alone resolves their names`, async () => {
    const image = sampleImage(what, [3_000_000, 700]);
    from.hold('team/app', image, 'v1');
    const engine = createCopyEngine(clients);
    const root = await engine.resolve(at(from, 'team/app'), parseTag('v1'));
    assert.ok(root);
    await engine.copy({
      source: at(from, 'team/app'),
      root,
      target: at(to, 'mirror/app'),
      tag: parseTag('v1'),
    });
    await engine.verifyGraph(at(to, 'mirror/app'), root.digest, { deep: true });
    assert.deepEqual(trace.violations, []);
    const tunnels = proxy.calls.filter(
      ({ line }) => line === `CONNECT ${host}:${new URL(secure.origin).port}`,
    );
    const whole = proxy.calls.filter(({ line }) => / http:\/\/registry\.invalid:/.test(line));
    assert.ok(tunnels.length > 0 && whole.length > 0);
    assert.equal(tunnels.length + whole.length, proxy.calls.length);
    assert.ok(proxy.calls.every(({ proxyAuthorization }) => proxyAuthorization === proxyBasic));
    assert.ok(tunnels.every(({ authorization }) => authorization === undefined));
    const seen = trace.entries.flatMap(({ headerNames }) => headerNames);
    assert.ok(!seen.includes('proxy-authorization'), 'the registry never sees the credential of the proxy');
  });
}

test('C15 hosts of NO_PROXY are called directly', async () => {
  const engine = createCopyEngine(clients);
  const direct = at(secure, 'team/app', { name: 'direct.invalid' });
  await assert.rejects(engine.resolve(direct, parseTag('v1')), { code: 'DNSFailure' });
  assert.equal(proxy.calls.length, 0);
});

test('C15 an address that may never be called is not asked of the proxy either', async () => {
  const engine = createCopyEngine(clients);
  const metadata = at(plain, 'team/app', { name: '169.254.169.254' });
  await assert.rejects(engine.resolve(metadata, parseTag('v1')), { code: 'AddressRefused' });
  assert.equal(proxy.calls.length, 0);
});

test('C15 a proxy that refuses is told of without its credential', async () => {
  proxy.refusal = 407;
  const engine = createCopyEngine(clients);
  const controller = new AbortController();
  const asked = engine.resolve(at(secure, 'team/app'), parseTag('v1'), controller.signal);
  setTimeout(() => controller.abort(), 1000);
  await assert.rejects(asked, (error: Error) => {
    assert.match(error.message, /proxy answered HTTP 407/);
    assert.ok(!JSON.stringify([error.message, error.stack]).includes('canary'));
    return true;
  });
});
