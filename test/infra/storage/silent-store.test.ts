import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { parseDigest } from '../../../domain/names/digest.ts';
import { ObjectStore } from '../../../infra/storage/object-store.ts';
import { openPoolUpload } from '../../../infra/storage/pool-upload.ts';
import { isCode } from '../../support/failures.ts';

/** A store that takes requests and then says nothing, or nothing more. */
let server: Server;
let store: ObjectStore;

before(async () => {
  process.env['AWS_ACCESS_KEY_ID'] ??= 'k';
  process.env['AWS_SECRET_ACCESS_KEY'] ??= 's';
  server = createServer((request, response) => {
    if (request.method !== 'GET') return;
    response.writeHead(200, { 'content-length': '1000' });
    response.write('half of it');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  store = new ObjectStore({
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    bucket: 'b',
    silenceMs: 300,
  });
});

after(() => {
  server.closeAllConnections();
  server.close();
});

test('an object that stops in the middle is given up', { timeout: 30_000 }, async () => {
  const read = async (): Promise<void> => {
    for await (const chunk of store.stream('k', 0)) assert.ok(chunk.byteLength > 0);
  };
  await assert.rejects(read, isCode('StorageUnavailable'));
});

test('an upload that nobody answers is given up', { timeout: 30_000 }, async () => {
  const digest = parseDigest(`sha256:${'a'.repeat(64)}`);
  const blob = { mediaType: 'application/octet-stream', digest, size: 100 };
  const upload = await openPoolUpload(store, 'k', blob, false);
  await assert.rejects(async () => {
    await upload.write(Buffer.alloc(100));
    await upload.commit();
  }, isCode('StorageUnavailable'));
});
