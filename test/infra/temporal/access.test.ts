import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createSecureServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { after, test } from 'node:test';
import { generate } from 'selfsigned';
import { temporalAccess } from '../../../infra/temporal/access.ts';
import { connectTemporal } from '../../../infra/temporal/connection.ts';

const folder = mkdtempSync(join(tmpdir(), 'imageferry-temporal-'));
after(() => rmSync(folder, { recursive: true }));

async function certificate(name: string): Promise<{ readonly cert: string; readonly private: string }> {
  return generate([{ name: 'commonName', value: name }], {
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: name }] }],
  });
}

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

test('Temporal is shown the client certificate and the API key, and known by its own authority', async () => {
  const [server, client] = await Promise.all([certificate('temporal.example'), certificate('site-a')]);
  const seen: { key: string | undefined; certificate: string | undefined }[] = [];
  const frontend = createSecureServer({
    key: server.private,
    cert: server.cert,
    ca: [client.cert],
    requestCert: true,
    rejectUnauthorized: true,
  });
  frontend.on('stream', (stream, headers) => {
    const { socket } = Object(stream.session);
    seen.push({
      key: headers.authorization,
      certificate: socket instanceof TLSSocket ? String(socket.getPeerCertificate().subject.CN) : undefined,
    });
    stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '16' });
    stream.end();
  });
  await new Promise<void>((resolve) => frontend.listen(0, '127.0.0.1', resolve));
  const { port } = frontend.address() as AddressInfo;
  const access = temporalAccess({
    TEMPORAL_API_KEY: 'key-of-site-a',
    TEMPORAL_TLS_SERVER_CA_CERT_PATH: file('ca.crt', server.cert),
    TEMPORAL_TLS_SERVER_NAME: 'temporal.example',
    TEMPORAL_TLS_CLIENT_CERT_PATH: file('client.crt', client.cert),
    TEMPORAL_TLS_CLIENT_KEY_PATH: file('client.key', client.private),
  });
  const temporal = connectTemporal({ ...access, address: `127.0.0.1:${port}`, namespace: 'default' });
  try {
    await temporal
      .withDeadline(Date.now() + 10_000, () => temporal.workflow.getHandle('any').describe())
      .catch(() => undefined);
    assert.deepEqual(seen[0], { key: 'Bearer key-of-site-a', certificate: 'site-a' });
  } finally {
    await temporal.connection.close();
    frontend.close();
  }
});

for (const [name, environment, wrong] of [
  [
    'a key without its certificate',
    { TEMPORAL_TLS_CLIENT_KEY_PATH: 'KEY' },
    /both its certificate and its key/,
  ],
  ['an API key in the clear', { TEMPORAL_API_KEY: 'canary', TEMPORAL_TLS: 'false' }, /not sent in the clear/],
  ['a file that is not there', { TEMPORAL_TLS_SERVER_CA_CERT_PATH: '/nowhere/canary' }, /cannot be read/],
  ['a word that is no choice', { TEMPORAL_TLS: 'canary' }, /true or false/],
] as const) {
  test(`${name} is refused by name, and its value is not shown`, () => {
    const key = file('some.key', 'canary');
    const given = Object.fromEntries(
      Object.entries(environment).map(([variable, value]) => [variable, value === 'KEY' ? key : value]),
    );
    assert.throws(
      () => temporalAccess(given),
      (error) => error instanceof Error && wrong.test(error.message) && !error.message.includes('canary'),
    );
  });
}

for (const [name, environment, expected] of [
  ['nothing', {}, {}],
  ['a wish', { TEMPORAL_TLS: 'true' }, { tls: true }],
  ['an API key alone', { TEMPORAL_API_KEY: 'k' }, { apiKey: 'k', tls: true }],
  ['a name', { TEMPORAL_TLS_SERVER_NAME: 't.example' }, { tls: { serverNameOverride: 't.example' } }],
] as const) {
  test(`TLS by ${name}`, () => assert.deepEqual(temporalAccess(environment), expected));
}
