import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { StreamedRequest } from '../../../infra/registry/streamed-request.ts';
import { Transport } from '../../../infra/registry/transport.ts';

const idleTimeoutMs = 700;
/** More than the kernel keeps of a connection that nobody reads. */
const piece = Buffer.alloc(16_000_000);

const sockets: Socket[] = [];
const server = createServer({ pauseOnConnect: true }, (socket) => sockets.push(socket));
const transport = new Transport({
  ruleFor: () => ({ declared: true, allowPrivate: true }),
  idleTimeoutMs,
  headersTimeoutMs: idleTimeoutMs,
});

before(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

after(() => {
  transport.close();
  for (const socket of sockets) socket.destroy();
  server.close();
});

/** Takes a little of what came, again and again, and answers when it has `bytes`. */
function takeSlowly(socket: Socket, bytes: number): void {
  let taken = 0;
  const timer = setInterval(() => {
    const some: unknown = socket.read(Math.min(100_000, socket.readableLength));
    taken += Buffer.isBuffer(some) ? some.byteLength : 0;
    if (taken < bytes) return;
    clearInterval(timer);
    socket.write('HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n');
  }, 20);
}

async function send(): Promise<StreamedRequest> {
  const { port } = server.address() as AddressInfo;
  return StreamedRequest.open(transport, {
    method: 'PUT',
    url: new URL(`http://127.0.0.1:${port}/`),
    headers: {},
    length: piece.byteLength,
  });
}

test('a write may take longer than the time-out while its bytes go out', { timeout: 60_000 }, async () => {
  const started = performance.now();
  const request = await send();
  const written = request.write(piece);
  const [socket] = await connection();
  takeSlowly(socket, piece.byteLength);
  await written;
  assert.equal((await request.finish()).status, 201);
  assert.ok(performance.now() - started > 2 * idleTimeoutMs, 'the link was slow enough to tell');
});

test('a write of which nothing goes out any more is given up', { timeout: 60_000 }, async () => {
  const request = await send();
  await assert.rejects(request.write(piece), { code: 'Timeout' });
  await assert.rejects(request.finish(), { code: 'Timeout' });
});

async function connection(): Promise<[Socket]> {
  const open = sockets.at(-1);
  return open === undefined ? ((await once(server, 'connection')) as [Socket]) : [open];
}
