import assert from 'node:assert/strict';
import { stagingTag } from '../../domain/lifecycle/system-tags.ts';
import { parseDigest } from '../../domain/names/digest.ts';
import { answers } from '../support/misbehaving-registry/behaviours.ts';
import { digestOf } from '../support/misbehaving-registry/content.ts';
import type { Exchange } from '../support/misbehaving-registry/exchange.ts';
import { problem } from '../support/misbehaving-registry/registry-state.ts';
import { sampleImage, sampleIndex } from '../support/misbehaving-registry/images.ts';
import { heading, row, sourcePath, targetPath } from '../support/faults/world.ts';
import { rejection } from '../support/refusal.ts';

const byDigest = /\/manifests\/sha256:/;

/** Lets something happen right before the honest answer. */
const before =
  (act: () => void) =>
  async (exchange: Exchange): Promise<void> => {
    act();
    await exchange.send(await exchange.honestAnswer());
  };

heading('I. Registry garbage collection and eventual consistency', () => {
  for (const lyingCache of [false, true]) {
    row(
      `I01 fresh blobs that are collected before the manifest came are sent again${lyingCache ? ' (the cache still tells of them)' : ''}`,
      async (world) => {
        const image = sampleImage('i01', [3000, 200_000]);
        const { source, target } = await world.pair(image, { target: { lyingCache } });
        target.script(
          { method: 'PUT', path: byDigest, times: 1 },
          before(() => target.state.collectGarbage()),
        );
        await world.copy(source, target);
        world.landed(target, image);
      },
    );
  }

  row(
    'I01 a target that collects everything, always, ends in DestinationGC after a few rounds',
    async (world) => {
      world.maxRequests = 1500;
      const { source, target } = await world.pair(sampleImage('i01x'));
      target.script(
        { method: 'PUT', path: byDigest },
        before(() => target.state.collectGarbage()),
      );
      await world.copyFails('DestinationGC', source, target);
      assert.ok(world.trace.count('PUT', byDigest, target.origin) <= 13);
    },
  );

  row('I02 children that are collected before their index came are pushed again', async (world) => {
    const image = sampleIndex([sampleImage('i02a'), sampleImage('i02b')]);
    const { source, target } = await world.pair(image);
    target.script(
      { method: 'PUT', path: `/manifests/${image.digest}`, times: 1 },
      before(() => target.state.collectGarbage({ untagged: true })),
    );
    await world.copy(source, target);
    world.landed(target, image);
  });

  row(
    'I03 a staging tag holds the graph where untagged manifests are dropped, and is gone afterwards',
    async (world) => {
      const image = sampleIndex([sampleImage('i03a'), sampleImage('i03b')]);
      const { source, target } = await world.pair(image);
      target.script(
        { method: 'PUT', path: '/manifests/v1' },
        before(() => target.state.collectGarbage({ untagged: true })),
      );
      await world.copy(source, target, { targetAccess: { gcDeletesUntagged: true } });
      world.landed(target, image);
      assert.deepEqual([...target.repository(targetPath).tags.keys()], ['v1']);
    },
  );

  row(
    'I03 without a staging tag the loss is found at the latest by the tag, and never tagged broken',
    async (world) => {
      world.maxRequests = 1500;
      const image = sampleImage('i03x');
      const { source, target } = await world.pair(image);
      target.script(
        { method: 'PUT', path: '/manifests/v1', times: 1 },
        before(() => target.state.collectGarbage({ untagged: true })),
      );
      const outcome = await world.copy(source, target).then(
        () => 'landed',
        () => 'refused',
      );
      if (outcome === 'landed') world.landed(target, image);
      else assert.ok(!target.repository(targetPath).tags.has('v1'));
      target.clearScripts();
      await world.copy(source, target);
      world.landed(target, image);
    },
  );

  for (const [what, answer] of [
    ['405', { status: 405 }],
    ['503 UNSUPPORTED', problem(503, 'UNSUPPORTED')],
  ] as const) {
    row(
      `I05 a target that is read-only (${what}) is DestinationReadOnly, to be tried later`,
      async (world) => {
        const { source, target } = await world.pair(sampleImage('i05'));
        target.script({ method: 'POST|PUT|PATCH' }, answers(answer));
        const failure = await world.copyFails('DestinationReadOnly', source, target);
        assert.ok(failure.retryable);
      },
    );
  }

  for (const delayMs of [500, 2000, 5000]) {
    row(
      `I06 what shows up ${delayMs} ms after it was written is no failure and no false success`,
      async (world) => {
        world.maxRequests = 1500;
        const image = sampleIndex([sampleImage('i06a'), sampleImage('i06b')]);
        const { source, target } = await world.pair(image);
        const written = new Map<string, number>();
        target.script({ method: 'GET|HEAD', path: /\/(?:blobs\/sha256|manifests\/)/ }, async (exchange) => {
          const honest = await exchange.honestAnswer();
          const key = exchange.url.pathname;
          const first = written.get(key) ?? performance.now();
          if (honest.status < 300) written.set(key, first);
          await exchange.send(
            honest.status < 300 && performance.now() - first < delayMs ? problem(404, 'UNKNOWN') : honest,
          );
        });
        await world.copy(source, target);
        world.landed(target, image);
      },
    );
  }

  row('I07 replicas that disagree for a while do not count as read back', async (world) => {
    const image = sampleImage('i07');
    const { source, target } = await world.pair(image);
    const since = performance.now();
    let turn = 0;
    target.script({ method: 'GET|HEAD', path: /\/(?:blobs\/sha256|manifests\/)/ }, async (exchange) => {
      const honest = await exchange.honestAnswer();
      turn += 1;
      const stale = performance.now() - since < 1500 && turn % 2 === 0;
      await exchange.send(stale && honest.status < 300 ? problem(404, 'UNKNOWN') : honest);
    });
    await world.copy(source, target);
    world.landed(target, image);
  });

  row(
    'I07 where a collection may run, one right answer among wrong ones does not settle the tag',
    async (world) => {
      const [image, old] = [sampleImage('i07tag'), sampleImage('i07old')];
      const { source, target } = await world.pair(image);
      target.hold(targetPath, old, 'v1');
      const shown: string[] = [];
      target.script({ method: 'GET|HEAD', path: '/manifests/v1' }, async (exchange) => {
        const honest = await exchange.honestAnswer();
        const isStale = honest.headers?.['docker-content-digest'] === image.digest && shown.length === 1;
        if (honest.headers?.['docker-content-digest'] === image.digest) shown.push(isStale ? 'old' : 'new');
        await exchange.send(
          isStale
            ? { ...honest, headers: { ...honest.headers, 'docker-content-digest': old.digest } }
            : honest,
        );
      });
      await world.copy(source, target, { targetAccess: { gcSettleSeconds: 1 } });
      assert.deepEqual(shown, ['new', 'old', 'new', 'new']);
    },
  );

  row('I12 staging tags that a crash left go after a day, and nothing else does', async (world) => {
    const image = sampleImage('i12');
    const { source, target } = await world.pair(image);
    const old = parseDigest(sampleImage('i12old').digest);
    const hours = (ago: number): string => stagingTag(old, Date.now() - ago * 3_600_000);
    for (const tag of [hours(30), hours(2), 'imageferry-staging-mine', 'v0'])
      target.hold(targetPath, sampleImage('i12old'), tag);
    await world.copy(source, target, { targetAccess: { gcDeletesUntagged: true } });
    world.landed(target, image);
    const { tags, manifests } = target.repository(targetPath);
    assert.deepEqual(new Set(tags.keys()), new Set([hours(2), 'imageferry-staging-mine', 'v0', 'v1']));
    assert.ok(manifests.has(old), 'its content stays');
    assert.equal(world.trace.count('DELETE', '/manifests/sha256', target.origin), 0);
    const listings = world.trace.count('GET', '/tags/list', target.origin);
    target.repository(targetPath).tags.delete('v1');
    await world.copy(source, target, { targetAccess: { gcDeletesUntagged: true } });
    assert.equal(world.trace.count('GET', '/tags/list', target.origin), listings, 'once a day is enough');
  });

  row('I08 an image that lost a part is told apart from a whole one', async (world) => {
    const image = sampleIndex([sampleImage('i08a'), sampleImage('i08b')]);
    const { source, target } = await world.pair(image);
    await world.copy(source, target);
    const endpoint = world.endpoint(target, targetPath);
    await world.engine.verifyGraph(endpoint, parseDigest(image.digest));
    const gone = digestOf(image.blobs[1] ?? Buffer.alloc(0));
    target.state.sabotage(targetPath, (content) => content.blobs.delete(gone));
    const failure = await rejection(
      ['ImageDegraded', 'SourceIncomplete', 'DestinationGC'],
      world.engine.verifyGraph(endpoint, parseDigest(image.digest)),
    );
    assert.ok(failure.message.includes(gone), failure.message);
  });

  for (const lyingCache of [false, true]) {
    row(
      `I11 a collection that sweeps after the first read-back is found by the second, before the tag${lyingCache ? ' (the cache still tells)' : ''}`,
      async (world) => {
        const image = sampleImage('i11', [3000]);
        const { source, target } = await world.pair(image, { target: { lyingCache } });
        const victim = digestOf(image.blobs[1] ?? Buffer.alloc(0));
        let swept = false;
        // The first read-back ends with the manifest; every part of it was read twice by then.
        target.script({ method: 'HEAD', path: '/manifests/sha256:' }, async (exchange) => {
          await exchange.send(await exchange.honestAnswer());
          if (swept) return;
          swept = true;
          target.state.sabotage(targetPath, (content) => {
            const blob = content.blobs.get(victim);
            content.blobs.delete(victim);
            if (lyingCache && blob !== undefined) content.ghosts.set(victim, blob.byteLength);
          });
        });
        await world.copy(source, target, { targetAccess: { gcSettleSeconds: 1 } });
        assert.ok(swept);
        world.landed(target, image);
      },
    );
  }

  row('I11 the blobs are read back by their last byte, not by HEAD', async (world) => {
    const image = sampleImage('i11r', [3000]);
    const { source, target } = await world.pair(image);
    await world.copy(source, target);
    for (const blob of image.blobs) {
      const reads = world.trace.find('GET', `/blobs/${digestOf(blob)}`, target.origin);
      assert.ok(
        reads.some((entry) => entry.range === `bytes=${blob.byteLength - 1}-` && entry.status === 206),
      );
    }
    assert.equal(sourcePath, 'lib/app');
  });
});
