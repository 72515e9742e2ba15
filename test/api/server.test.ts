import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { serveApi, type ListeningServer } from '../../api/server.ts';
import { base, inProcessApi } from '../support/api-in-process.ts';

/** Faults that only a socket shows. The bytes are sent as they are, as an HTTP client would mend them. */
let server: ListeningServer;
const path = `${base}/namespaces/default/repositories`;
const token = 'Authorization: Bearer admin-token';

before(async () => {
  server = await serveApi(inProcessApi().app, '127.0.0.1', 0);
});
after(() => server.close(0));

const rows: readonly (readonly [string, string, RegExp])[] = [
  [
    'P01: two Authorization headers',
    `GET ${path} HTTP/1.1\r\nHost: x\r\n${token}\r\n${token}\r\n\r\n`,
    /^HTTP\/1\.1 400 .*more than one Authorization/s,
  ],
  [
    'one Authorization header',
    `GET ${path} HTTP/1.1\r\nHost: x\r\n${token}\r\n\r\n`,
    /^HTTP\/1\.1 200 .*RepositoryList/s,
  ],
  [
    'P12: an absolute target',
    `GET http://evil.example${path} HTTP/1.1\r\nHost: x\r\n${token}\r\n\r\n`,
    /^HTTP\/1\.1 400 /,
  ],
  [
    'P12: a target that starts with two slashes',
    `GET //evil.example/x HTTP/1.1\r\nHost: x\r\n\r\n`,
    /^HTTP\/1\.1 400 /,
  ],
  ['P12: no Host', `GET ${path} HTTP/1.1\r\n${token}\r\n\r\n`, /^HTTP\/1\.1 400 /],
  [
    'P12: length and chunks at once',
    `POST ${path} HTTP/1.1\r\nHost: x\r\n${token}\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    /^HTTP\/1\.1 400 /,
  ],
  [
    'P12: two lengths',
    `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcd`,
    /^HTTP\/1\.1 400 /,
  ],
  ['P12: a bare line feed', `GET ${path} HTTP/1.1\nHost: x\n${token}\n\n`, /^HTTP\/1\.1 400 /],
  [
    'P13: a header of 64 KiB',
    `GET ${path} HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(65_536)}\r\n\r\n`,
    /^HTTP\/1\.1 431 /,
  ],
  ['P10: more than 1 MiB in chunks, without a length', chunked(1_200_000), /^HTTP\/1\.1 413 /],
];

for (const [what, bytes, expected] of rows) {
  test(`${what} is answered as it should`, async () => {
    assert.match(await exchange(bytes), expected);
  });
}

test('P11: who sends headers byte by byte is dropped within 15 seconds, while others are served', async () => {
  const { port } = new URL(server.url);
  const slow = Array.from({ length: 50 }, () => connect(Number(port), '127.0.0.1'));
  for (const socket of slow) socket.on('error', () => {}).write('GET / HTTP/1.1\r\nHost: x\r\n');
  const closed = Promise.all(slow.map((socket) => new Promise((resolve) => socket.once('close', resolve))));
  const drip = setInterval(
    () => slow.forEach((socket) => socket.writable && socket.write('X-A: b\r\n')),
    1000,
  );
  for (const socket of slow) socket.resume();
  assert.equal((await fetch(`${server.url}/healthz`)).status, 200);
  const late = sleep(15_000, 'late', { ref: false });
  assert.notEqual(await Promise.race([closed, late]), 'late');
  clearInterval(drip);
});

function chunked(size: number): string {
  const chunk = `${(60_000).toString(16)}\r\n${'x'.repeat(60_000)}\r\n`;
  const head = `POST ${path} HTTP/1.1\r\nHost: x\r\n${token}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`;
  return head + chunk.repeat(Math.ceil(size / 60_000));
}

/** Sends bytes and gives back what comes until the other side ends, or for half a second after the first answer. */
async function exchange(bytes: string): Promise<string> {
  const { port } = new URL(server.url);
  const socket = connect(Number(port), '127.0.0.1');
  const received: Buffer[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.on('data', (data) => {
    received.push(data);
    setTimeout(resolve, 500);
  });
  socket.on('close', () => resolve());
  socket.on('error', () => resolve());
  socket.write(bytes);
  await promise;
  socket.destroy();
  return Buffer.concat(received).toString();
}
