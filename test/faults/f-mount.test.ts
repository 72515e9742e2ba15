import assert from 'node:assert/strict';
import { Failure } from '../../domain/failure.ts';
import { parseRepositoryPath } from '../../domain/names/repository-path.ts';
import { answers, hangs, resets } from '../support/misbehaving-registry/behaviours.ts';
import type { MisbehavingRegistry } from '../support/misbehaving-registry/registry.ts';
import { sampleImage } from '../support/misbehaving-registry/images.ts';
import { streamed } from '../support/faults/streamed.ts';
import { heading, row, targetPath, type FaultWorld } from '../support/faults/world.ts';

const uploads = 'blobs/uploads';
const sentTo = (world: FaultWorld, target: MisbehavingRegistry): number =>
  world.trace
    .find('POST|PATCH|PUT', uploads, target.origin)
    .reduce((sum, entry) => sum + entry.requestBytes, 0);

heading('F. Mounts, full disks, early answers, cancelled copies', () => {
  const mountFrom = [parseRepositoryPath('edge/base')];

  row('F13 a blob that another repository has is mounted, not sent', async (world) => {
    const { image, source, target } = await streamed(world, 'f13');
    target.hold('edge/base', image);
    const report = await world.copy(source, target, { mountFrom });
    world.landed(target, image);
    assert.equal(sentTo(world, target), 0);
    assert.ok(report.blobsReused >= 2);
  });

  for (const [what, fault] of [
    ['hangs', hangs()],
    ['fails', answers({ status: 500 })],
    ['is reset', resets()],
  ] as const) {
    row(`F13 a mount that ${what} costs no copy: the blob is sent`, async (world) => {
      const { image, source, target } = await streamed(world, 'f13-fault', 1000);
      target.hold('edge/base', image);
      target.script({ method: 'POST', path: 'mount=' }, fault);
      await world.copy(source, target, { mountFrom });
      world.landed(target, image);
      assert.ok(world.trace.count('POST', 'mount=', target.origin) <= 8, 'asked a few times at most');
    });
  }

  row('F15 a mount that claims success and did nothing is repaired by sending the blob', async (world) => {
    const { image, source, target } = await streamed(world, 'f15');
    target.hold('edge/base', image);
    target.script({ method: 'POST', path: 'mount=' }, async (exchange) => {
      await exchange.body();
      await exchange.send({ status: 201, headers: { location: `/v2/${targetPath}/blobs/x` } });
    });
    await world.copy(source, target, { mountFrom });
    world.landed(target, image);
  });

  row('F16 no repository is asked for a mount unless it was declared', async (world) => {
    const { image, source, target } = await streamed(world, 'f16', 1000);
    target.hold('other-tenant/app', image);
    await world.copy(source, target);
    world.landed(target, image);
    // Without `from`, the registry would look through all of its repositories.
    assert.equal(world.trace.count('POST', 'mount=', target.origin), 0);
    const next = await world.registry();
    next.hold('other-tenant/app', image);
    await world.copy(source, next, { mountFrom });
    world.landed(next, image);
    const asked = world.trace.find('POST', 'mount=', next.origin).map(({ path }) => path);
    assert.ok(asked.length > 0 && asked.every((path) => path.endsWith('from=edge%2Fbase')), asked.join());
  });

  for (const [what, answer] of [
    ['507', { status: 507 }],
    [
      '500 with ENOSPC',
      { status: 500, body: '{"errors":[{"code":"UNKNOWN","detail":"write /x: no space left on device"}]}' },
    ],
  ] as const) {
    row(`F17 a full disk (${what}) is DestinationFull and leaves the tag alone`, async (world) => {
      const { source, target } = await streamed(world, 'f17');
      const old = sampleImage('f17old');
      target.hold(targetPath, old, 'stable');
      target.script({ method: 'PATCH|PUT|POST', path: uploads }, answers(answer));
      const failure = await world.copyFails('DestinationFull', source, target);
      assert.ok(failure.retryable);
      assert.equal(target.repository(targetPath).tags.get('stable'), old.digest);
    });
  }

  for (const [status, code] of [
    [401, 'Unauthorized'],
    [413, 'DestinationRefused'],
    [500, 'RegistryUnavailable'],
  ] as const) {
    row(
      `F18 an early ${status} while we are still sending stops the sending`,
      async (world) => {
        const { source, target } = await streamed(world, 'f18', 30_000_000);
        target.script({ method: 'PATCH|PUT', path: uploads }, async (exchange) => {
          // Where all of a small blob has come there is nothing to stop.
          if (Number(exchange.header('content-length')) < 100_000)
            return exchange.send(await exchange.honestAnswer());
          exchange.trace.status = status;
          exchange.socket.write(`HTTP/1.1 ${status} Early\r\nContent-Length: 0\r\n\r\n`);
          return new Promise<void>((resolve) => {
            exchange.socket.once('close', () => resolve());
          });
        });
        // What the registry said, not how the connection ended then; a dead-lock ends as Cancelled.
        const hooks = { signal: AbortSignal.timeout(45_000) };
        await world.copyFails(code, source, target, { hooks });
      },
      // No time-out is to end it instead.
      { idleTimeoutMs: 120_000 },
    );
  }

  row(
    'F20 a copy that is cancelled at any point leaves no tag, and the next one completes',
    async (world) => {
      const { image, source } = await streamed(world, 'f20', 300_000);
      world.maxRequests = 2000;
      let steps = 0;
      for (let isOver = false; !isOver; steps += 1) {
        const target = await world.registry();
        const controller = new AbortController();
        let seen = 0;
        let [isTagging, isEarly] = [false, false];
        target.script({}, async (exchange) => {
          isTagging ||= exchange.method === 'PUT' && exchange.url.pathname.endsWith('/manifests/v1');
          if (seen++ === steps) {
            isEarly = !isTagging;
            controller.abort();
          }
          await exchange.send(await exchange.honestAnswer());
        });
        const failed = await world.copy(source, target, { hooks: { signal: controller.signal } }).then(
          () => undefined,
          (error: unknown) => error,
        );
        isOver = seen <= steps;
        // Before its tag was being written a copy that is cancelled ends at once.
        if (isEarly) {
          assert.ok(failed instanceof Failure && failed.code === 'Cancelled', `step ${steps}: ${failed}`);
          assert.ok(!target.repository(targetPath).tags.has('v1'), `step ${steps}`);
        }
        target.clearScripts();
        await world.copy(source, target);
        world.landed(target, image);
      }
      assert.ok(steps > 10, `${steps} points`);
    },
  );
});
