import assert from 'node:assert/strict';
import { Failure } from '../../domain/failure.ts';
import { parseTag } from '../../domain/names/tag.ts';
import { answers } from '../support/misbehaving-registry/behaviours.ts';
import { problem } from '../support/misbehaving-registry/registry-state.ts';
import { sampleImage, sampleIndex } from '../support/misbehaving-registry/images.ts';
import { heading, row, sourcePath, targetPath } from '../support/faults/world.ts';
import { rejection } from '../support/refusal.ts';

heading('G. Tag commit, concurrency and ordering', () => {
  row('G01 a source tag that moves amid the copy changes nothing: the digest was pinned', async (world) => {
    const [old, now] = [sampleImage('g01a', [90_000]), sampleImage('g01b')];
    const { source, target } = await world.pair(old);
    source.script({ method: 'GET', path: '/blobs/', times: 1 }, async (exchange) => {
      source.hold(sourcePath, now, 'v1');
      await exchange.send(await exchange.honestAnswer());
    });
    const report = await world.copy(source, target);
    world.landed(target, old);
    assert.equal(report.root, old.digest);
    await world.copy(source, target);
    world.landed(target, now);
  });

  row('G01 a source tag that moves right after it was resolved changes nothing', async (world) => {
    const [old, now] = [sampleImage('g01c', [9000]), sampleImage('g01d')];
    const { source, target } = await world.pair(old);
    source.script({ method: 'HEAD', path: '/manifests/v1', times: 1 }, async (exchange) => {
      const honest = await exchange.honestAnswer();
      source.hold(sourcePath, now, 'v1');
      await exchange.send(honest);
    });
    const report = await world.copy(source, target);
    world.landed(target, old);
    assert.equal(report.root, old.digest);
  });

  row(
    'G02 a target that dies after any step holds no broken tag, and the next run completes with little extra',
    async (world) => {
      world.maxRequests = 5000;
      const image = sampleIndex([sampleImage('g02a', [50_000]), sampleImage('g02b', [1000])]);
      const source = await world.registry();
      source.hold(sourcePath, image, 'v1');
      let steps = 0;
      const probe = await world.registry();
      probe.script({}, async (exchange) => {
        steps += 1;
        await exchange.send(await exchange.honestAnswer());
      });
      await world.copy(source, probe);
      for (let step = 1; step <= steps; step += 1) {
        // It takes whatever it is sent: only our order keeps the tag whole.
        const target = await world.registry({ checksManifests: false });
        const controller = new AbortController();
        target.script({ after: step - 1 }, async (exchange) => {
          await exchange.honestAnswer();
          controller.abort();
          exchange.reset();
        });
        await world.copy(source, target, { hooks: { signal: controller.signal } }).catch(() => undefined);
        target.clearScripts();
        await world.copy(source, target);
        world.landed(target, image);
      }
    },
  );

  row('G03 nothing but the root is ever written under the final tag, and only once, last', async (world) => {
    const image = sampleIndex([sampleImage('g03a'), sampleImage('g03b')]);
    const { source, target } = await world.pair(image);
    await world.copy(source, target);
    world.landed(target, image);
    const writes = world.trace.find('POST|PATCH|PUT', '', target.origin);
    assert.equal(writes.filter((entry) => entry.path.endsWith('/manifests/v1')).length, 1);
    assert.ok(writes.at(-1)?.path.endsWith('/manifests/v1'));
    assert.ok(
      writes
        .filter((entry) => entry.path.includes('/manifests/'))
        .slice(0, -1)
        .every((entry) => entry.path.includes('sha256:')),
    );
  });

  row('G06 a worker that comes back late asks its fence and writes nothing', async (world) => {
    const { source, target } = await world.pair(sampleImage('g06'));
    const newer = sampleImage('g06new');
    const hooks = {
      fence: async (): Promise<void> => {
        target.hold(targetPath, newer, 'v1');
        await Promise.resolve();
        throw new Failure('Superseded');
      },
    };
    await rejection('Superseded', world.copy(source, target, { hooks }));
    world.landed(target, newer);
    assert.equal(world.trace.count('PUT', '/manifests/v1', target.origin), 0);
  });

  row('G06 the fence is asked after everything else was placed and read back', async (world) => {
    const image = sampleImage('g06b');
    const { source, target } = await world.pair(image);
    const before: string[] = [];
    const hooks = {
      fence: async (): Promise<void> => {
        before.push(
          ...world.trace.find('PUT|GET', '', target.origin).map((entry) => `${entry.method} ${entry.path}`),
        );
        await Promise.resolve();
      },
    };
    await world.copy(source, target, { hooks });
    assert.ok(
      before.some((line) => line.startsWith('PUT') && line.includes(`/manifests/${image.digest}`)),
      'the manifest stands',
    );
    assert.ok(
      before.some((line) => line.startsWith('GET') && line.includes('/blobs/')),
      'the blobs were read back',
    );
  });

  row(
    'G08 an immutable tag that already stands for the digest is success; for another it is TagImmutable',
    async (world) => {
      const image = sampleImage('g08');
      const { source, target } = await world.pair(image, { target: { immutableTags: true } });
      target.script({ method: 'PUT', path: '/manifests/v1' }, answers(problem(412, 'PRECONDITION')));
      target.hold(targetPath, image, 'v1');
      // Somebody else wrote the same tag after we looked.
      target.script({ method: 'HEAD', path: '/manifests/v1', times: 1 }, answers({ status: 404 }));
      await world.copy(source, target);
      world.landed(target, image);
      const other = sampleImage('g08other');
      target.hold(targetPath, other, 'v1');
      await rejection('TagImmutable', world.copy(source, target));
      world.landed(target, other);
    },
  );

  row('G10 a 413 for a manifest is the end', async (world) => {
    const { source, target } = await world.pair(sampleImage('g10'));
    target.script({ method: 'PUT', path: '/manifests/' }, answers({ status: 413 }));
    await world.copyFails('ManifestTooLarge', source, target);
    assert.ok(world.trace.count('PUT', '/manifests/', target.origin) <= 2);
  });

  row('G10 a child that went missing is pushed again before the index', async (world) => {
    const [one, two] = [sampleImage('g10a'), sampleImage('g10b')];
    const image = sampleIndex([one, two]);
    const { source, target } = await world.pair(image);
    target.script({ method: 'PUT', path: `/manifests/${image.digest}`, times: 1 }, async (exchange) => {
      target.state.sabotage(targetPath, (content) => content.manifests.delete(one.digest));
      await exchange.send(await exchange.honestAnswer());
    });
    await world.copy(source, target);
    world.landed(target, image);
  });

  row('G07 a tag that somebody else moves right after our write is never reported as ours', async (world) => {
    const [image, foreign] = [sampleImage('g07'), sampleImage('g07x')];
    const { source, target } = await world.pair(image);
    target.script({ method: 'PUT', path: '/manifests/v1', times: 1 }, async (exchange) => {
      const honest = await exchange.honestAnswer();
      target.hold(targetPath, foreign, 'v1');
      await exchange.send(honest);
    });
    await rejection('TagConflict', world.copy(source, target));
    world.landed(target, foreign);
  });

  row('G07 what was there before is no conflict, however long the registry shows it', async (world) => {
    const [image, old] = [sampleImage('g07new'), sampleImage('g07old')];
    const { source, target } = await world.pair(image);
    target.hold(targetPath, old, 'v1');
    target.script(
      { method: 'HEAD|GET', path: '/manifests/v1' },
      answers({
        status: 200,
        headers: { 'content-type': old.manifest.mediaType, 'docker-content-digest': old.digest },
        body: old.manifest.bytes,
      }),
    );
    // The whole wait is thirty seconds; five are longer than a conflict takes to show.
    const hooks = { signal: AbortSignal.timeout(5000) };
    await rejection('Cancelled', world.copy(source, target, { hooks }));
  });

  row('G11 a tag that shows its old digest for a while is waited for', async (world) => {
    const image = sampleImage('g11');
    const old = sampleImage('g11old');
    const { source, target } = await world.pair(image);
    target.hold(targetPath, old, 'v1');
    target.script(
      { method: 'HEAD|GET', path: '/manifests/v1', times: 4 },
      answers({
        status: 200,
        headers: { 'content-type': old.manifest.mediaType, 'docker-content-digest': old.digest },
        body: old.manifest.bytes,
      }),
    );
    await world.copy(source, target);
    world.landed(target, image);
    assert.ok(world.trace.count('HEAD|GET', '/manifests/v1', target.origin) >= 5);
  });

  row('G12 every manifest request accepts all four types', async (world) => {
    const image = sampleIndex([sampleImage('g12')]);
    const { source, target } = await world.pair(image);
    await world.copy(source, target);
    const asked = world.trace.find('GET|HEAD', '/manifests/');
    assert.ok(asked.length > 2);
    for (const entry of asked) {
      for (const type of [
        'manifest.v2+json',
        'manifest.list.v2+json',
        'image.manifest.v1+json',
        'image.index.v1+json',
      ]) {
        assert.ok(entry.accept?.includes(type) === true, `${entry.method} ${entry.path}: ${entry.accept}`);
      }
    }
  });

  row('G16 an image is not copied onto itself', async (world) => {
    const source = await world.registry();
    const image = sampleImage('g16');
    source.hold(sourcePath, image, 'v1');
    const endpoint = world.endpoint(source, sourcePath);
    const root = await world.engine.resolve(endpoint, parseTag('v1'));
    assert.ok(root !== undefined);
    const request = {
      source: endpoint,
      root,
      target: endpoint,
      sourceTag: parseTag('v1'),
      tag: parseTag('v1'),
    };
    await rejection('SameSourceAndDestination', world.engine.copy(request));
    assert.equal(world.trace.count('PUT|POST|PATCH', ''), 0);
  });

  row('G17 a second copy of what is there moves nothing', async (world) => {
    const image = sampleIndex([sampleImage('g17a'), sampleImage('g17b')]);
    const { source, target } = await world.pair(image);
    await world.copy(source, target);
    const before = world.trace.count('POST|PATCH', '', target.origin);
    const report = await world.copy(source, target);
    assert.equal(report.blobsMoved, 0);
    assert.equal(world.trace.count('POST|PATCH', '', target.origin), before);
  });
});
