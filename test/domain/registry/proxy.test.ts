import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseProxySettings, proxyFor } from '../../../domain/registry/proxy.ts';

const settings = parseProxySettings({
  HTTPS_PROXY: 'http://us%40er:p%3Aw%C3%B6rd@proxy.example:3128',
  http_proxy: 'plain.example:8080',
  NO_PROXY:
    'corp.example, .deep.example,*.star.example,10.0.0.0/8,192.0.2.7,[2001:db8::1]:5000,hub.example:5000',
});

test('the environment names a proxy for each scheme, with a credential that is decoded', () => {
  assert.deepEqual(settings.https, {
    host: 'proxy.example',
    port: 3128,
    tls: false,
    authorization: `Basic ${Buffer.from('us@er:p:wörd').toString('base64')}`,
  });
  assert.deepEqual(settings.http, { host: 'plain.example', port: 8080, tls: false });
  assert.deepEqual(parseProxySettings({ HTTPS_PROXY: 'https://p.example' }).https, {
    host: 'p.example',
    port: 443,
    tls: true,
  });
  assert.equal(proxyFor(parseProxySettings({}), { host: 'a.example', port: 443, tls: true }), undefined);
});

test('a wrong proxy is named, and its value never shown', () => {
  for (const wrong of ['socks5://u:canary@p', 'http://u:canary%@p', 'http://', 'http://canary:x@p:99999']) {
    assert.throws(
      () => parseProxySettings({ HTTPS_PROXY: wrong }),
      (error: Error) => error.message.includes('HTTPS_PROXY') && !error.message.includes('canary'),
    );
  }
});

const rows: readonly (readonly [string, number, boolean])[] = [
  ['registry.example', 443, true],
  ['corp.example', 443, false],
  ['r.corp.example', 443, false],
  ['notcorp.example', 443, true],
  ['deep.example', 443, true],
  ['r.deep.example', 443, false],
  ['r.star.example', 443, false],
  ['10.1.2.3', 5000, false],
  ['11.1.2.3', 5000, true],
  ['192.0.2.7', 5000, false],
  ['2001:db8::1', 5000, false],
  ['2001:db8::1', 443, true],
  ['hub.example', 5000, false],
  ['hub.example', 443, true],
  ['localhost', 5000, false],
  ['127.0.0.1', 5000, false],
  ['::1', 5000, false],
];

test('C15 NO_PROXY and this machine are called directly', () => {
  for (const [host, port, proxied] of rows)
    assert.equal(proxyFor(settings, { host, port, tls: true }) !== undefined, proxied, `${host}:${port}`);
  const all = { ...settings, except: ['*'] };
  assert.equal(proxyFor(all, { host: 'registry.example', port: 443, tls: true }), undefined);
});
