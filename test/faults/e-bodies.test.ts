import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { changes } from '../support/misbehaving-registry/behaviours.ts';
import { digestOf } from '../support/misbehaving-registry/content.ts';
import type { Exchange } from '../support/misbehaving-registry/exchange.ts';
import { sampleImage } from '../support/misbehaving-registry/images.ts';
import { heading, row } from '../support/faults/world.ts';

const layerOf = (image: ReturnType<typeof sampleImage>): string =>
  digestOf(image.blobs[1] ?? Buffer.alloc(0));

/** Writes chunks of 64 KiB until the other side goes away or 64 MiB are through; resolves with the bytes written. */
async function endless(
  exchange: Exchange,
  head: Readonly<Record<string, string>>,
  first: Uint8Array,
): Promise<number> {
  exchange.trace.status = 200;
  exchange.response.writeHead(200, head);
  exchange.response.write(first);
  let written = first.byteLength;
  while (!exchange.socket.destroyed && written < 64 * 1024 * 1024) {
    written += 65_536;
    const open = exchange.response.write(Buffer.alloc(65_536));
    if (!open) {
      await new Promise<void>((resolve) => {
        exchange.response.once('drain', resolve);
        exchange.socket.once('close', () => resolve());
      });
    }
  }
  exchange.response.destroy();
  return written;
}

heading('E. Odd bodies and heads', () => {
  row('E02 a chunked body is read, counted and hashed like any other', async (world) => {
    const image = sampleImage('e02c', [300_000]);
    const { source, target } = await world.pair(image);
    source.script({ method: 'GET', path: '/blobs/' }, async (exchange) => {
      const honest = await exchange.honestAnswer();
      const body = Buffer.from(honest.body ?? '');
      exchange.trace.status = honest.status;
      exchange.response.writeHead(honest.status, {
        'content-range': String(honest.headers?.['content-range'] ?? ''),
      });
      for (let at = 0; at < body.byteLength; at += 50_000)
        exchange.response.write(body.subarray(at, at + 50_000));
      exchange.response.end();
    });
    await world.copy(source, target);
    world.landed(target, image);
  });

  row('E03 a chunked body without end is cut off right after the declared size', async (world) => {
    const image = sampleImage('e03e', [300_000]);
    const { source, target } = await world.pair(image);
    const written: number[] = [];
    source.script({ method: 'GET', path: layerOf(image) }, async (exchange) => {
      written.push(await endless(exchange, {}, image.blobs[1] ?? Buffer.alloc(0)));
    });
    await world.copyFails(['SizeMismatch', 'DigestMismatch'], source, target);
    assert.ok(
      written.every((bytes) => bytes < 8 * 1024 * 1024),
      `${written.join(', ')} bytes were taken`,
    );
  });

  for (const what of ['/blobs/', '/manifests/']) {
    row(`E03 content that comes gzip-encoded (${what}) is refused, not unpacked`, async (world) => {
      const { source, target } = await world.pair(sampleImage('e03z', [50_000]));
      const gzip = changes((answer) => ({
        ...answer,
        headers: { ...answer.headers, 'content-encoding': 'gzip' },
        body: gzipSync(Buffer.from(answer.body ?? '')),
      }));
      source.script({ method: 'GET', path: what }, gzip);
      await world.copyFails(
        ['UnexpectedResponse', 'DigestMismatch', 'SizeMismatch', 'InvalidManifest'],
        source,
        target,
      );
      const asked = world.trace.find('GET', what, source.origin);
      assert.ok(
        asked.every((entry) => entry.headerNames.includes('accept-encoding')),
        'identity was asked for',
      );
    });
  }

  for (const [what, path] of [
    ['a blob', '/blobs/'],
    ['a manifest', '/manifests/'],
  ] as const) {
    row(`E11 headers without end, instead of ${what}, are cut off`, async (world) => {
      const { source, target } = await world.pair(sampleImage('e11h'));
      let sent = 0;
      source.script({ method: 'GET', path }, async (exchange) => {
        exchange.raw('HTTP/1.1 200 OK\r\n', { end: false });
        for (let line = 0; !exchange.socket.destroyed && sent < 32 * 1024 * 1024; line += 1) {
          const text = `x-${line}: ${'y'.repeat(4000)}\r\n`;
          sent += text.length;
          exchange.raw(text, { end: false });
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
      });
      await world.copyFails(['UnexpectedResponse', 'NetworkError', 'Timeout'], source, target);
      assert.ok(sent < 8 * 1024 * 1024, `${sent} bytes of headers`);
    });
  }

  row('E11 a hundred interim answers before the real one are read over', async (world) => {
    const image = sampleImage('e11i');
    const { source, target } = await world.pair(image);
    source.script({ method: 'GET', path: '/blobs/' }, async (exchange) => {
      for (let count = 0; count < 100; count += 1)
        exchange.raw('HTTP/1.1 103 Early Hints\r\n\r\n', { end: false });
      await exchange.send(await exchange.honestAnswer());
    });
    await world.copy(source, target);
    world.landed(target, image);
  });
});
