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
    ['AddressRefused', access('[::ffff:169.254.169.254]')],
  ];
  for (const [code, wrong] of rows) {
    await assert.rejects(verifier.verify(wrong, []), { code }, code);
  }
});
