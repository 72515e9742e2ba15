import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  answers,
  changes,
  closeDelimited,
  cutsBody,
  drips,
  flipsBit,
  hangs,
  waits,
} from '../support/misbehaving-registry/behaviours.ts';
import { digestOf } from '../support/misbehaving-registry/content.ts';
import type { Exchange } from '../support/misbehaving-registry/exchange.ts';
import { sampleImage, type SampleImage } from '../support/misbehaving-registry/images.ts';
import { heading, row, sourcePath, type FaultWorld } from '../support/faults/world.ts';

const size = 400_000;
const oneLayer = (id: string, bytes = size): { readonly image: SampleImage; readonly path: string } => {
  const image = sampleImage(id, [bytes]);
  return { image, path: `/blobs/${digestOf(image.blobs[1] ?? Buffer.alloc(0))}` };
};

/** Cuts the first download of the layer at `at`, answers the next one with `second`, and expects the image to land. */
async function resumes(
  world: FaultWorld,
  id: string,
  second: (exchange: Exchange) => Promise<void>,
  fromZero = true,
): Promise<number> {
  const { image, path } = oneLayer(id);
  const { source, target } = await world.pair(image);
  source.script({ method: 'GET', path, times: 1 }, cutsBody(150_000));
  source.script({ method: 'GET', path, times: 1 }, second);
  await world.copy(source, target);
  world.landed(target, image);
  const reads = world.trace.find('GET', path, source.origin);
  assert.ok(reads.length <= 5, `${reads.length} downloads`);
  assert.equal(world.trace.count('DELETE', 'blobs/uploads', target.origin), 0, 'no wrong byte was sent on');
  if (fromZero) assert.equal(reads.at(-1)?.range, undefined, 'nothing of the odd answer was used');
  return reads.reduce((sum, entry) => sum + entry.responseBytes, 0);
}

heading('E. Blob download', () => {
  row(
    'E01 a body that is cut at any 64 KiB boundary is noticed, continued, and never committed short',
    async (world) => {
      world.maxRequests = 2000;
      for (let cut = 0; cut < size; cut += 65_536) {
        const { image, path } = oneLayer(`e01-${cut}`);
        const { source, target } = await world.pair(image);
        source.script(
          { method: 'GET', path, times: 1 },
          cutsBody(cut, cut % 131_072 === 0 ? 'fin' : 'reset'),
        );
        await world.copy(source, target);
        world.landed(target, image);
      }
    },
  );

  row('E02 a body without length that ends early is not taken for the blob', async (world) => {
    const { image, path } = oneLayer('e02');
    const { source, target } = await world.pair(image);
    source.script({ method: 'GET', path, times: 1 }, closeDelimited(100_000));
    await world.copy(source, target);
    world.landed(target, image);
    const again = await world.pair(image);
    again.source.script({ method: 'GET', path }, closeDelimited(1000));
    await world.copyFails(['Truncated', 'NetworkError'], again.source, again.target);
  });

  row('E03 a body that is longer than declared is cut off, and the upload is given up', async (world) => {
    const { image, path } = oneLayer('e03');
    const { source, target } = await world.pair(image);
    source.script(
      { method: 'GET', path },
      changes((answer) => ({
        ...answer,
        status: 200,
        body: Buffer.concat([Buffer.from(answer.body ?? ''), Buffer.alloc(5_000_000)]),
      })),
    );
    await world.copyFails(['SizeMismatch', 'DigestMismatch'], source, target);
    assert.equal(target.repository('edge/app').blobs.has(path.slice(7)), false);
    const received = world.trace
      .find('PATCH|PUT|POST', '/blobs/', target.origin)
      .reduce((sum, entry) => sum + entry.requestBytes, 0);
    assert.ok(received <= 2 * size + 1000, `${received} bytes were sent on`);
  });

  row('E05 the same wrong bytes twice are the end', async (world) => {
    const { image, path } = oneLayer('e05');
    const { source, target } = await world.pair(image);
    source.script({ method: 'GET', path }, flipsBit(1000));
    await world.copyFails('DigestMismatch', source, target);
    assert.ok(world.trace.count('GET', path, source.origin) <= 2, 'at most two downloads');
  });

  row('E05 wrong bytes once are repaired by a second download', async (world) => {
    const { image, path } = oneLayer('e05x');
    const { source, target } = await world.pair(image);
    source.script({ method: 'GET', path, times: 1 }, flipsBit(200_000));
    await world.copy(source, target);
    world.landed(target, image);
  });

  row('E06 resume: a 200 with the full body restarts the blob from zero', async (world) => {
    const whole = async (exchange: Exchange): Promise<void> => {
      delete exchange.request.headers.range;
      await exchange.send(await exchange.honestAnswer());
    };
    await resumes(world, 'e06', whole, false);
  });

  for (const [what, contentRange, first] of [
    ['with another start', `bytes 149999-399999/400000`, 149_999],
    ['with another total', `bytes 150000-399999/400001`, 150_000],
    ['with an impossible range', `bytes 399999-150000/400000`, 150_000],
    ['without Content-Range', undefined, 150_000],
  ] as const) {
    row(`E07 resume: a 206 ${what} is not appended`, async (world) => {
      await resumes(world, 'e07', async (exchange) => {
        const honest = await exchange.honestAnswer();
        const { 'content-range': _, ...headers } = honest.headers ?? {};
        delete exchange.request.headers.range;
        const whole = Buffer.from((await exchange.honestAnswer()).body ?? '');
        const body = whole.subarray(first);
        await exchange.send({
          ...honest,
          headers: contentRange === undefined ? headers : { ...headers, 'content-range': contentRange },
          body,
        });
      });
    });
  }

  row('E07 resume: two Content-Range headers or several parts are not appended', async (world) => {
    await resumes(world, 'e07two', async (exchange) => {
      const honest = await exchange.honestAnswer();
      await exchange.send({
        ...honest,
        headers: { ...honest.headers, 'content-range': ['bytes 150000-399999/400000', 'bytes 0-1/400000'] },
      });
    });
    await resumes(world, 'e07parts', async (exchange) => {
      const honest = await exchange.honestAnswer();
      await exchange.send({ ...honest, headers: { 'content-type': 'multipart/byteranges; boundary=x' } });
    });
  });

  row('E07 resume: an exact 206 is appended, so that little is read twice', async (world) => {
    const honest = async (exchange: Exchange): Promise<void> => exchange.send(await exchange.honestAnswer());
    const bytes = await resumes(world, 'e07ok', honest, false);
    assert.ok(bytes <= size * 1.1, `${bytes} bytes for ${size}`);
  });

  row('E08 resume: a 416 restarts from zero, and a second one is the end', async (world) => {
    await resumes(world, 'e08', (exchange) => exchange.send({ status: 416 }));
    const { image, path } = oneLayer('e08x');
    const { source, target } = await world.pair(image);
    source.script({ method: 'GET', path }, (exchange) =>
      exchange.header('range') === undefined ? cutsBody(150_000)(exchange) : exchange.send({ status: 416 }),
    );
    await world.copyFails('RangeRefused', source, target);
    assert.ok(world.trace.count('GET', path, source.origin) <= 5);
  });

  row('E10 a drip is cut and tried again; one that never ends is TooSlow', async (world) => {
    const { image, path } = oneLayer('e10');
    const { source, target } = await world.pair(image);
    source.script({ method: 'GET', path, times: 1 }, drips(10, 50));
    await world.copy(source, target);
    world.landed(target, image);
    const again = await world.pair(image);
    again.source.script({ method: 'GET', path }, drips(10, 50));
    await world.copyFails(['TooSlow', 'Timeout'], again.source, again.target);
    assert.ok(world.trace.count('GET', path, again.source.origin) <= 6);
  });

  row('E10 a drip without a length is cut as well', async (world) => {
    const { image, path } = oneLayer('e10-chunks');
    const { source, target } = await world.pair(image);
    source.script({ method: 'GET', path }, async (exchange) => {
      const body = Buffer.from((await exchange.honestAnswer()).body ?? '');
      exchange.response.writeHead(200);
      for (let at = 0; at < body.byteLength && !exchange.socket.destroyed; at += 10) {
        exchange.response.write(body.subarray(at, at + 10));
        await sleep(50);
      }
      exchange.response.end();
    });
    await world.copyFails(['TooSlow', 'Timeout'], source, target);
  });

  row('E11 headers that never come, or come byte by byte, time out', async (world) => {
    const { image, path } = oneLayer('e11');
    const { source, target } = await world.pair(image);
    source.script({ method: 'GET', path, times: 1 }, hangs());
    source.script({ method: 'GET', path, times: 1 }, async (exchange) => {
      for (const letter of 'HTTP/1.1 200 OK\r\nX-Slow: '
        .split('')
        .concat(Array.from({ length: 400 }, () => 'x'))) {
        if (exchange.socket.destroyed) return;
        exchange.raw(letter, { end: false });
        await new Promise((resolve) => setTimeout(resolve, 40));
      }
    });
    const started = performance.now();
    await world.copy(source, target);
    world.landed(target, image);
    assert.ok(performance.now() - started < 12_000, 'the time-out counts for the whole head');
  });

  row(
    'E12 a blob that is gone after the manifest was read fails and names it; nothing is resolved anew',
    async (world) => {
      const { image, path } = oneLayer('e12');
      const { source, target } = await world.pair(image);
      source.repository(sourcePath).blobs.delete(path.slice(7));
      const failure = await world.copyFails('SourceIncomplete', source, target);
      assert.ok(failure.message.includes(path.slice(7)), failure.message);
      assert.ok(world.trace.count('HEAD|GET', '/manifests/v1', source.origin) <= 1);
    },
  );

  row('E13 GET decides, whatever HEAD said', async (world) => {
    const { image, path } = oneLayer('e13');
    const first = await world.pair(image);
    first.source.script({ method: 'HEAD', path: '/blobs/' }, answers({ status: 404 }));
    await world.copy(first.source, first.target);
    world.landed(first.target, image);
    const second = await world.pair(image);
    second.source.script({ method: 'GET', path }, answers({ status: 404 }));
    await world.copyFails('SourceIncomplete', second.source, second.target);
  });

  row('E16 five cuts of one layer cost little: what was read is not read again', async (world) => {
    const { image, path } = oneLayer('e16', 8_000_000);
    const { source, target } = await world.pair(image);
    source.script({ method: 'GET', path, times: 5 }, async (exchange) => {
      const length = Buffer.from((await exchange.honestAnswer()).body ?? '').byteLength;
      await cutsBody(Math.min(1_500_000, length - 1))(exchange);
    });
    await world.copy(source, target);
    world.landed(target, image);
    const bytes = world.trace
      .find('GET', path, source.origin)
      .reduce((sum, entry) => sum + entry.responseBytes, 0);
    assert.ok(bytes <= 8_000_000 * 1.5, `${bytes} bytes for 8000000`);
  });

  row('E17 two copies want one blob at once: both are right', async (world) => {
    const { image, path } = oneLayer('e17');
    const { source, target } = await world.pair(image);
    source.script({ method: 'GET', path }, waits(100));
    const reports = await Promise.all([
      world.copy(source, target),
      world.copy(source, target, { tag: 'v2' }),
    ]);
    world.landed(target, image);
    world.landed(target, image, 'v2');
    assert.equal(reports.length, 2);
    assert.equal(world.trace.count('GET', path, source.origin), 1, 'the second one waits for the first');
  });

  row('E17 a copy that waits for another one’s blob brings it itself where that one stops', async (world) => {
    const { image, path } = oneLayer('e17stop');
    const { source, target } = await world.pair(image);
    const first = new AbortController();
    let second: Promise<unknown> | undefined;
    source.script({ method: 'GET', path, times: 1 }, async (exchange) => {
      second = world.copy(source, target, { tag: 'v2' });
      while (world.trace.count('HEAD', '/manifests/v2', target.origin) === 0) await sleep(10);
      await sleep(150);
      first.abort();
      exchange.reset();
    });
    await world.copyFails('Cancelled', source, target, { hooks: { signal: first.signal } });
    await second;
    world.landed(target, image, 'v2');
  });
});
