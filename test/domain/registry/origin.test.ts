import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRegistryDomain } from '../../../domain/names/registry-domain.ts';
import {
  credentialGate,
  declaredOrigin,
  locationGate,
  originsOf,
  realmGate,
  redirectGate,
  type GateVerdict,
  type OriginSet,
} from '../../../domain/registry/origin.ts';

const origins = (
  domain: string,
  more: { insecure?: boolean; allowedRealms?: readonly string[]; caBundle?: string } = {},
): OriginSet => originsOf({ domain: parseRegistryDomain(domain), ...more });
const verdict = (gate: GateVerdict): string =>
  gate.allowed ? (gate.withCredential ? 'with' : 'without') : gate.code;

test('a registry is reached by https, by http on this machine, and Docker Hub at its own host', () => {
  assert.equal(origins('r.example').registry, 'https://r.example');
  assert.equal(origins('r.example:8443').registry, 'https://r.example:8443');
  assert.equal(origins('127.0.0.1:5000').registry, 'http://127.0.0.1:5000');
  assert.equal(origins('127.0.0.1:5000', { caBundle: 'x' }).registry, 'https://127.0.0.1:5000');
  assert.equal(origins('r.example:5000', { insecure: true }).registry, 'http://r.example:5000');
  assert.equal(origins('docker.io').registry, 'https://registry-1.docker.io');
  assert.equal(origins('[::1]:5000').registry, 'http://[::1]:5000');
});

const realms: readonly (readonly [domain: string, realm: string, verdict: string])[] = [
  ['r.example', 'https://r.example/token', 'with'],
  ['r.example', 'https://r.example:443/token', 'with'],
  ['r.example', 'https://R.EXAMPLE/token', 'with'],
  ['r.example', 'https://sub.r.example/token', 'RealmNotAllowed'],
  ['r.example', 'https://r.example.evil.example/token', 'RealmNotAllowed'],
  ['r.example', 'https://r.example./token', 'RealmNotAllowed'],
  ['r.example', '/token', 'RealmNotAllowed'],
  ['r.example', '//r.example/token', 'RealmNotAllowed'],
  ['r.example', 'https:/r.example/token', 'RealmNotAllowed'],
  ['r.example', 'https://r.example\\@evil.example/', 'RealmNotAllowed'],
  ['r.example', 'https://%72.example/token', 'RealmNotAllowed'],
  ['r.example', ' https://r.example/token', 'RealmNotAllowed'],
  ['docker.io', 'https://auth.docker.io/token', 'with'],
  ['docker.io', 'https://auth.docker.io:8443/token', 'RealmNotAllowed'],
  ['docker.io', 'http://auth.docker.io/token', 'RealmNotAllowed'],
  ['r.example', 'https://auth.docker.io/token', 'RealmNotAllowed'],
  ['registry.gitlab.com', 'https://gitlab.com/jwt/auth', 'with'],
  ['registry.cn-hangzhou.aliyuncs.com', 'https://dockerauth.cn-hangzhou.aliyuncs.com/auth', 'with'],
  ['x-registry.cn-hangzhou.cr.aliyuncs.com', 'https://dockerauth-ee.cn-hangzhou.aliyuncs.com/auth', 'with'],
  [
    'registry.cn-hangzhou.aliyuncs.com',
    'https://dockerauth.cn-shanghai.aliyuncs.com/auth',
    'RealmNotAllowed',
  ],
  [
    'registry.cn-hangzhou.aliyuncs.com',
    'https://bucket.oss-cn-hangzhou.aliyuncs.com/auth',
    'RealmNotAllowed',
  ],
  ['127.0.0.1:5000', 'http://127.0.0.1:5000/token', 'with'],
  ['127.0.0.1:5000', 'http://0x7f.0.0.1:5000/token', 'RealmNotAllowed'],
];

for (const [domain, realm, expected] of realms) {
  test(`the realm ${realm} of ${domain}: ${expected}`, () => {
    assert.equal(verdict(realmGate(realm, origins(domain))), expected);
  });
}

test('a declared realm is an origin, exactly: no path, no user, no other port', () => {
  const declared = origins('r.example', {
    allowedRealms: [
      'https://auth.example:8443',
      'https://user@bad.example',
      'https://p.example/x',
      'nonsense',
    ],
  });
  assert.deepEqual([...declared.realms], ['https://auth.example:8443']);
  assert.equal(verdict(realmGate('https://auth.example:8443/t?x=y', declared)), 'with');
  assert.equal(verdict(realmGate('https://auth.example/t', declared)), 'RealmNotAllowed');
  assert.equal(declaredOrigin('http://127.0.0.1:5001'), 'http://127.0.0.1:5001');
});

const blob = new URL('https://r.example/v2/a/blobs/x');
const redirects: readonly (readonly [location: string | undefined, hop: number, verdict: string])[] = [
  ['https://cdn.example/x?sig=y', 1, 'without'],
  ['https://r.example/elsewhere', 1, 'with'],
  ['/elsewhere', 5, 'with'],
  ['/elsewhere', 6, 'TooManyRedirects'],
  [undefined, 1, 'TooManyRedirects'],
  ['https://r.example:8443/x', 1, 'without'],
  ['http://r.example/x', 1, 'DowngradeRefused'],
  ['http://cdn.example/x', 1, 'DowngradeRefused'],
  ['file:///etc/passwd', 1, 'AddressRefused'],
  ['https://user:pw@cdn.example/x', 1, 'AddressRefused'],
  ['https://0x7f.1/x', 1, 'AddressRefused'],
];

for (const [location, hop, expected] of redirects) {
  test(`a redirect to ${location ?? 'nowhere'}, hop ${hop}: ${expected}`, () => {
    assert.equal(verdict(redirectGate(blob, location, hop, origins('r.example'))), expected);
  });
}

test('a redirect back to the registry from another host does not bring the credential back', () => {
  assert.equal(
    verdict(redirectGate(new URL('https://cdn.example/x'), 'https://r.example/y', 2, origins('r.example'))),
    'without',
  );
});

const upload = new URL('https://r.example:5000/v2/a/blobs/uploads/');
const locations: readonly (readonly [location: string | undefined, expected: string])[] = [
  ['/v2/a/blobs/uploads/1?_state=a%3D', 'https://r.example:5000/v2/a/blobs/uploads/1?_state=a%3D'],
  ['https://r.example:5000/v2/a/blobs/uploads/1', 'https://r.example:5000/v2/a/blobs/uploads/1'],
  ['1?x=y', 'https://r.example:5000/v2/a/blobs/uploads/1?x=y'],
  ['https://r.example/v2/a/blobs/uploads/1', 'LocationRefused'],
  ['http://r.example:5000/v2/a/blobs/uploads/1', 'LocationRefused'],
  ['https://10.0.0.1/x', 'LocationRefused'],
  ['//evil.example/x', 'LocationRefused'],
  ['javascript:alert(1)', 'LocationRefused'],
  ['', 'BadUploadSession'],
  [undefined, 'BadUploadSession'],
];

for (const [location, expected] of locations) {
  test(`an upload Location ${location ?? 'that is missing'}: ${expected}`, () => {
    const gate = locationGate(upload, location, origins('r.example:5000'));
    assert.equal(gate.allowed ? gate.url.href : gate.code, expected);
  });
}

test('a credential goes in the clear only where plain http was declared', () => {
  assert.equal(
    verdict(credentialGate(new URL('http://r.example/'), origins('r.example'))),
    'PlaintextCredentialRefused',
  );
  assert.equal(verdict(credentialGate(new URL('http://127.0.0.1:5000/'), origins('127.0.0.1:5000'))), 'with');
  assert.equal(verdict(credentialGate(new URL('https://other.example/'), origins('r.example'))), 'without');
});
