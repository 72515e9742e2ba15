import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { parseRegistryDomain } from '../../../domain/names/registry-domain.ts';
import { parseRepositoryPath } from '../../../domain/names/repository-path.ts';
import type { RegistryAccess } from '../../../infra/copy/engine.ts';
import { createRegistryVerifier } from '../../../infra/registry/registry-verifier.ts';
import { startRegistryProcess, type RegistryProcess } from '../../support/registry-process.ts';

const credential = { username: 'alice', password: 'pass:wörd' };
const verifier = createRegistryVerifier();
let registry: RegistryProcess;
let website: Server;

before(async () => {
  registry = await startRegistryProcess({ credential });
  website = createServer((_request, response) => response.end('<html>welcome</html>')).listen(0, '127.0.0.1');
  await new Promise((resolve) => website.once('listening', resolve));
});
after(async () => {
  await registry.stop();
  website.close();
});

const access = (domain: string, more: Partial<RegistryAccess> = {}): RegistryAccess => ({
  domain: parseRegistryDomain(domain),
  provider: 'other',
  ...more,
});

test('a good credential tells what it may do, for every provider', async () => {
  for (const provider of ['other', 'harbor', 'dockerhub', 'aliyun', 'from-a-plug-in']) {
    const outcome = await verifier.verify(access(registry.domain, { credential, provider }), [
      parseRepositoryPath('team/app'),
    ]);
    assert.deepEqual(outcome.capabilities, [
      { scope: '*', actions: ['list'] },
      { scope: 'team/app', actions: ['pull', 'push'] },
    ]);
  }
});

test('what is wrong is said in the words of the closed list', async () => {
  const port = (website.address() as AddressInfo).port;
  const rows: readonly (readonly [string, RegistryAccess])[] = [
    ['Unauthorized', access(registry.domain, { credential: { username: 'alice', password: 'wrong' } })],
    ['Unauthorized', access(registry.domain)],
    ['InvalidCredential', access(registry.domain, { credential: { username: 'alice', password: 'a\nb' } })],
    ['NotARegistry', access(`127.0.0.1:${port}`)],
    ['ConnectionRefused', access('127.0.0.1:1')],
    ['TLSVerificationFailed', access(registry.domain, { insecure: false, credential })],
    ['DNSFailure', access('registry.nowhere.invalid')],
    ['AddressRefused', access('169.254.169.254')],
    ['AddressRefused', access('[::ffff:a9fe:a9fe]')],
  ];
  for (const [code, wrong] of rows) {
    await assert.rejects(verifier.verify(wrong, []), { code }, code);
  }
});

test('the pulls that are left come from the headers of one HEAD, which counts as no pull', async () => {
  const asked: string[] = [];
  let headers: Readonly<Record<string, string>> = {};
  const hub = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    if (request.url?.includes('/manifests/') === true) response.writeHead(200, headers).end();
    else
      response
        .writeHead(request.url === '/v2/' ? 200 : 404, { 'content-type': 'application/json' })
        .end('{}');
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => hub.once('listening', resolve));
  const quota = async (provider: string, told: Readonly<Record<string, string>>) => {
    headers = told;
    const domain = `127.0.0.1:${(hub.address() as AddressInfo).port}`;
    return (await verifier.verify(access(domain, { provider }), [])).pullQuota;
  };
  const told = { 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': '76;w=21600' };
  try {
    assert.deepEqual(await quota('dockerhub', told), { remaining: 76, limit: 100, windowSeconds: 21_600 });
    assert.deepEqual(await quota('dockerhub', { ...told, 'ratelimit-remaining': '0;w=21600' }), {
      remaining: 0,
      limit: 100,
      windowSeconds: 21_600,
    });
    assert.equal(await quota('dockerhub', {}), undefined, 'a plan without limit');
    assert.equal(asked.filter((line) => line.includes('manifests')).length, 3);
    assert.ok(asked.every((line) => !line.startsWith('GET /v2/ratelimitpreview')));
    assert.equal(await quota('other', told), undefined);
  } finally {
    hub.close();
  }
});

test('a password that is a token tells when it ends', async () => {
  const open = await startRegistryProcess();
  const jwt = [{ alg: 'none' }, { exp: 1_800_000_000 }]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .concat('x')
    .join('.');
  try {
    const expires = async (password: string): Promise<string | undefined> =>
      (await verifier.verify(access(open.domain, { credential: { username: 'u', password } }), [])).expires;
    assert.equal(await expires(jwt), '2027-01-15T08:00:00.000Z');
    assert.equal(await expires('an.ordinary.password'), undefined);
  } finally {
    await open.stop();
  }
});
