import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { parseDigest } from '../../domain/names/digest.ts';
import { answers, changes, hangs } from '../support/misbehaving-registry/behaviours.ts';
import type { MisbehavingRegistry } from '../support/misbehaving-registry/registry.ts';
import { problem } from '../support/misbehaving-registry/registry-state.ts';
import { sampleImage } from '../support/misbehaving-registry/images.ts';
import { streamed, streamedBytes } from '../support/faults/streamed.ts';
import { heading, row, sourcePath, targetPath, type FaultWorld } from '../support/faults/world.ts';
import { rejection } from '../support/refusal.ts';

const uploads = 'blobs/uploads';
/** Makes the registry take PATCH uploads only, as some do. */
function patchOnly(target: MisbehavingRegistry): void {
  target.script({ method: 'PUT', path: uploads }, async (exchange) => {
    if (Number(exchange.header('content-length') ?? 0) === 0)
      await exchange.send(await exchange.honestAnswer());
    else await answers(problem(400, 'UNSUPPORTED'))(exchange);
  });
}

/** Makes the end of an upload of `digest` take `ms`; whoever does not wait for it has sent it in vain. */
function takesIn(target: MisbehavingRegistry, digest: string, ms: number, way: string): void {
  let taken = true;
  target.script({ method: 'PUT', path: encodeURIComponent(digest) }, async (exchange) => {
    const refused = way !== 'one PUT' && exchange.header('content-length') !== '0';
    if (refused) return answers(problem(400, 'UNSUPPORTED'))(exchange);
    const honest = await exchange.honestAnswer();
    taken = false;
    await delay(ms);
    taken = !exchange.socket.destroyed;
    return exchange.send(honest);
  });
  target.script({ method: 'GET|HEAD', path: `/blobs/${digest}` }, async (exchange) => {
    const honest = await exchange.honestAnswer();
    await exchange.send(taken ? honest : problem(404, 'BLOB_UNKNOWN'));
  });
}

const sentTo = (world: FaultWorld, target: MisbehavingRegistry): number =>
  world.trace
    .find('POST|PATCH|PUT', uploads, target.origin)
    .reduce((sum, entry) => sum + entry.requestBytes, 0);

heading('F. Blob upload and mount', () => {
  row('F01 a 202 without Location opens no upload', async (world) => {
    const { source, target } = await streamed(world, 'f01');
    target.script(
      { method: 'POST', path: uploads },
      changes((answer) => ({ ...answer, headers: { range: '0-0' } })),
    );
    await world.copyFails('BadUploadSession', source, target);
  });

  for (const [what, size] of [
    ['small', 1000],
    ['large', streamedBytes],
  ] as const) {
    row(`F02 a session that is gone is opened anew, from zero (${what} blob)`, async (world) => {
      const { image, source, target } = await streamed(world, 'f02', size);
      target.script(
        { method: 'PATCH|PUT', path: uploads, times: 1 },
        answers(problem(404, 'BLOB_UPLOAD_UNKNOWN')),
      );
      await world.copy(source, target);
      world.landed(target, image);
    });
  }

  row('F02 sessions that are always gone end after a few tries', async (world) => {
    const { source, target } = await streamed(world, 'f02x');
    target.script({ method: 'PATCH|PUT', path: uploads }, answers(problem(404, 'BLOB_UPLOAD_UNKNOWN')));
    await world.copyFails(['UploadFailed', 'BadUploadSession'], source, target);
    assert.ok(
      world.trace.count('POST', uploads, target.origin) <= 12,
      `${world.trace.count('POST', uploads)} sessions`,
    );
  });

  row('F03 a 416 to a PATCH ends well: at the exact end or in a new session', async (world) => {
    const { image, source, target } = await streamed(world, 'f03');
    patchOnly(target);
    target.script({ method: 'PATCH', path: uploads, times: 1 }, async (exchange) => {
      await exchange.body();
      await exchange.send({ status: 416, headers: { range: '0-0' } });
    });
    await world.copy(source, target);
    world.landed(target, image);
  });

  row(
    'F05 a registry whose second PATCH overwrites the first never gets a wrong blob committed',
    async (world) => {
      // Larger than the pieces that a registry is offered which wants pieces.
      const { image, source, target } = await streamed(world, 'f05', 17_500_000);
      patchOnly(target);
      target.script({ method: 'PATCH', path: uploads }, async (exchange) => {
        const id = exchange.url.pathname.split('/').at(-1) ?? '';
        const upload = target.repository(targetPath).uploads.get(id);
        if (upload !== undefined) {
          upload.chunks.length = 0;
          upload.size = 0;
          delete exchange.request.headers['content-range'];
        }
        await exchange.send(await exchange.honestAnswer());
      });
      await world.copy(source, target);
      world.landed(target, image);
    },
  );

  row(
    'F06 a registry that refuses one way of uploading is given another, which is remembered',
    async (world) => {
      const { image, source, target } = await streamed(world, 'f06');
      patchOnly(target);
      await world.copy(source, target);
      world.landed(target, image);
      const before = world.trace
        .find('PUT', uploads, target.origin)
        .filter((entry) => entry.status === 400).length;
      const next = sampleImage('f06b', [streamedBytes]);
      source.hold(sourcePath, next, 'v2');
      await world.copy(source, target, { reference: 'v2', tag: 'v2' });
      world.landed(target, next, 'v2');
      const after = world.trace
        .find('PUT', uploads, target.origin)
        .filter((entry) => entry.status === 400).length;
      assert.equal(after, before, 'the host’s way is remembered');
    },
  );

  row('F06 a body that is too large for one request (413) goes in pieces', async (world) => {
    const limit = 16 * 1024 * 1024;
    const { image, source, target } = await streamed(world, 'f06c', limit + 1_000_000);
    target.script({ method: 'PATCH|PUT|POST', path: uploads }, async (exchange) => {
      if (Number(exchange.header('content-length') ?? 0) > limit) await answers({ status: 413 })(exchange);
      else await exchange.send(await exchange.honestAnswer());
    });
    await world.copy(source, target);
    world.landed(target, image);
  });

  row('F07 a commit that times out although the blob is there is not sent again', async (world) => {
    const { image, digest, source, target } = await streamed(world, 'f07');
    target.script({ method: 'PUT', path: encodeURIComponent(digest), times: 1 }, async (exchange) => {
      await exchange.honestAnswer();
      await new Promise<void>((resolve) => {
        exchange.socket.once('close', () => resolve());
      });
    });
    await world.copy(source, target);
    world.landed(target, image);
    assert.ok(
      sentTo(world, target) <= streamedBytes * 1.2 + 10_000,
      `${sentTo(world, target)} bytes for ${streamedBytes}`,
    );
  });

  for (const way of ['one PUT', 'PATCH and PUT']) {
    row(`F07 a registry may take a second for every 10 MB that it takes in (${way})`, async (world) => {
      const { image, digest, source, target } = await streamed(world, `f07-${way}`, 40_000_000);
      takesIn(target, digest, 4500, way);
      await world.copy(source, target);
      world.landed(target, image);
      assert.ok(sentTo(world, target) < 41_000_000 * (way === 'one PUT' ? 1 : 2));
    });
  }

  row('F08 a commit that times out and left nothing is sent again', async (world) => {
    const { image, digest, source, target } = await streamed(world, 'f08');
    const path = encodeURIComponent(digest);
    target.script({ method: 'PUT', path, times: 1 }, hangs());
    target.script({ method: 'PUT', path, times: 1 }, answers(problem(404, 'BLOB_UPLOAD_UNKNOWN')));
    await world.copy(source, target);
    world.landed(target, image);
    const refused = world.trace
      .find('PUT', '/manifests/', target.origin)
      .filter(({ status }) => status >= 400);
    assert.deepEqual(refused, [], 'the blob was there before anything that needs it');
  });

  row('F10 a blob that shows up only seconds after its 201 is waited for', async (world) => {
    const { image, source, target } = await streamed(world, 'f10', 1000);
    let firstLook = 0;
    target.script({ method: 'GET|HEAD', path: '/blobs/sha256:' }, async (exchange) => {
      const honest = await exchange.honestAnswer();
      if (honest.status < 300 && firstLook === 0) firstLook = performance.now();
      await exchange.send(
        honest.status < 300 && performance.now() - firstLook < 3000 ? problem(404, 'BLOB_UNKNOWN') : honest,
      );
    });
    await world.copy(source, target);
    world.landed(target, image);
    assert.ok(sentTo(world, target) <= 20_000, 'waiting, not sending again and again');
  });

  row('F11 stored bytes that are corrupt are found by the deep check', async (world) => {
    const { image, digest, source, target } = await streamed(world, 'f11', 50_000);
    await world.copy(source, target);
    world.landed(target, image);
    target.state.sabotage(targetPath, (content) => {
      const blob = Buffer.from(content.blobs.get(digest) ?? '');
      blob[100] = (blob[100] ?? 0) ^ 1;
      content.blobs.set(digest, blob);
    });
    const endpoint = world.endpoint(target, targetPath);
    await rejection(
      ['DestinationCorrupt', 'DigestMismatch'],
      world.engine.verifyGraph(endpoint, parseDigest(image.digest), { deep: true }),
    );
  });

  row('F12 DIGEST_INVALID gets one more try from fresh bytes, then fails', async (world) => {
    const first = await streamed(world, 'f12');
    first.target.script({ method: 'PUT', path: uploads, times: 1 }, answers(problem(400, 'DIGEST_INVALID')));
    await world.copy(first.source, first.target);
    world.landed(first.target, first.image);
    const second = await streamed(world, 'f12x');
    second.target.script({ method: 'PUT', path: uploads }, answers(problem(400, 'DIGEST_INVALID')));
    await world.copyFails('DigestMismatch', second.source, second.target);
    assert.ok(world.trace.count('PUT', uploads, second.target.origin) <= 6);
  });
});
