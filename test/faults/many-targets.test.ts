import assert from 'node:assert/strict';
import { parseDigest } from '../../domain/names/digest.ts';
import { parseTag } from '../../domain/names/tag.ts';
import { BandwidthLimiter } from '../../infra/copy/bandwidth.ts';
import type { CopyOutcome, CopyTarget } from '../../infra/copy/engine.ts';
import { answers, hangs, resets } from '../support/misbehaving-registry/behaviours.ts';
import { digestOf } from '../support/misbehaving-registry/content.ts';
import { sampleImage } from '../support/misbehaving-registry/images.ts';
import type { MisbehavingRegistry } from '../support/misbehaving-registry/registry.ts';
import { problem } from '../support/misbehaving-registry/registry-state.ts';
import { heading, row, sourcePath, targetPath, type FaultWorld } from '../support/faults/world.ts';

const layers = [700_000, 300_000, 40] as const;

/** Copies `lib/app:v1` to all targets at once. */
async function copyAll(
  world: FaultWorld,
  source: MisbehavingRegistry,
  targets: readonly MisbehavingRegistry[],
  own: (target: MisbehavingRegistry) => Partial<CopyTarget> = () => ({}),
): Promise<readonly CopyOutcome[]> {
  const from = world.endpoint(source, sourcePath);
  const root = await world.engine.resolve(from, parseTag('v1'));
  assert.ok(root);
  return world.engine.copyToMany({
    source: from,
    root,
    targets: targets.map((target) => ({ endpoint: world.endpoint(target, targetPath), ...own(target) })),
    tag: parseTag('v1'),
  });
}

async function scene(world: FaultWorld, name: string, count: number) {
  const image = sampleImage(name, layers);
  const source = await world.registry();
  source.hold(sourcePath, image, 'v1');
  const targets = await Promise.all(Array.from({ length: count }, () => world.registry()));
  return { image, source, targets };
}

const blobBytes = (world: FaultWorld, registry: MisbehavingRegistry): number =>
  world.trace.find('GET', '/blobs/', registry.origin).reduce((sum, entry) => sum + entry.responseBytes, 0);
const codes = (outcomes: readonly CopyOutcome[]): readonly string[] =>
  outcomes.map((outcome) => ('report' in outcome ? 'done' : outcome.failure.code));

heading('One read, many targets', () => {
  row('every byte is read once upstream, and each report says what its target got', async (world) => {
    const { image, source, targets } = await scene(world, 'many', 4);
    const size = image.blobs.reduce((sum, blob) => sum + blob.byteLength, 0);
    const outcomes = await copyAll(world, source, targets);
    for (const target of targets) world.landed(target, image);
    assert.equal(blobBytes(world, source), size);
    const reports = outcomes.map((outcome) => ('report' in outcome ? outcome.report : undefined));
    for (const report of reports) {
      // The manifest goes by digest and, at the end, by tag.
      assert.equal(report?.bytesMoved, size + 2 * image.manifest.bytes.byteLength);
      assert.deepEqual([report?.blobsMoved, report?.blobsReused], [4, 0]);
    }
  });

  row('a target that refuses fails alone, with its own code', async (world) => {
    const { image, source, targets } = await scene(world, 'refuses', 3);
    targets[1]?.script({ method: 'POST|PUT|PATCH' }, answers(problem(403, 'DENIED')));
    assert.deepEqual(codes(await copyAll(world, source, targets)), ['done', 'Forbidden', 'done']);
    for (const target of [targets[0], targets[2]]) if (target !== undefined) world.landed(target, image);
    const size = image.blobs.reduce((sum, blob) => sum + blob.byteLength, 0);
    assert.ok(blobBytes(world, source) <= size, 'what one refuses is not read again');
  });

  row('a target whose connection breaks amid a layer gets it from one that has it', async (world) => {
    const { image, source, targets } = await scene(world, 'breaks', 3);
    const [layer] = image.blobs.toSorted((one, other) => other.byteLength - one.byteLength);
    assert.ok(layer);
    targets[2]?.script(
      { method: 'PUT|PATCH', path: encodeURIComponent(digestOf(layer)), times: 1 },
      resets(),
    );
    assert.deepEqual(codes(await copyAll(world, source, targets)), ['done', 'done', 'done']);
    for (const target of targets) world.landed(target, image);
    const size = image.blobs.reduce((sum, blob) => sum + blob.byteLength, 0);
    assert.equal(blobBytes(world, source), size);
  });

  row(
    'where a sibling turns out to give wrong bytes, upstream is asked, and nothing wrong lands',
    async (world) => {
      const { image, source, targets } = await scene(world, 'lies', 3);
      targets[2]?.script({ method: 'PUT|PATCH', path: '/blobs/', times: 4 }, resets());
      for (const target of targets.slice(0, 2)) {
        target.script({ method: 'GET', path: '/blobs/' }, async (exchange) => {
          const answer = await exchange.honestAnswer();
          const body = Buffer.from(answer.body ?? '');
          // One byte is only looked at; more is read to be copied.
          if (body.byteLength > 1) body.fill(0);
          await exchange.send({ ...answer, body });
        });
      }
      assert.deepEqual(codes(await copyAll(world, source, targets)), ['done', 'done', 'done']);
      for (const target of targets) world.landed(target, image);
    },
  );

  row('a target that hangs holds up neither the others’ layers nor their tags', async (world) => {
    world.maxRequests = 600;
    const { image, source, targets } = await scene(world, 'hangs', 3);
    targets[0]?.script({ method: 'PUT|PATCH', path: '/blobs/' }, hangs());
    const others = targets.slice(1);
    const enough = new AbortController();
    const timer = setInterval(() => {
      if (others.every((target) => target.repository(targetPath).tags.has('v1'))) enough.abort();
    }, 20);
    const outcomes = await copyAll(world, source, targets, (target) =>
      target === targets[0] ? { signal: enough.signal } : {},
    );
    clearInterval(timer);
    // It would still be hanging had the others' tags not come first.
    assert.deepEqual(codes(outcomes), ['Cancelled', 'done', 'done']);
    for (const target of others) world.landed(target, image);
  });

  row('a target that is stopped is stopped alone', async (world) => {
    const { image, source, targets } = await scene(world, 'stopped', 3);
    const stop = new AbortController();
    targets[1]?.script({ method: 'PUT', path: '/blobs/' }, async (exchange) => {
      stop.abort();
      await exchange.body();
    });
    const outcomes = await copyAll(world, source, targets, (target) =>
      target === targets[1] ? { signal: stop.signal } : {},
    );
    assert.deepEqual(codes(outcomes), ['done', 'Cancelled', 'done']);
    for (const target of [targets[0], targets[2]]) if (target !== undefined) world.landed(target, image);
    assert.equal(targets[1]?.repository(targetPath).tags.size, 0);
  });

  row('a slow site keeps its limit, and those without one do not wait for it', async (world) => {
    const { image, source, targets } = await scene(world, 'limited', 3);
    const limiter = new BandwidthLimiter(400_000);
    const started = performance.now();
    const done: number[] = [];
    const watch = setInterval(() => {
      targets.forEach((target, index) => {
        if (target.repository(targetPath).blobs.size === 4) done[index] ??= performance.now() - started;
      });
    }, 10);
    await copyAll(world, source, targets, (target) => (target === targets[2] ? { limiter } : {}));
    clearInterval(watch);
    for (const target of targets) world.landed(target, image);
    const [one = 0, two = 0, slow = 0] = done;
    assert.ok(slow > 1800, `1 MB at 400 kB/s came in ${slow} ms`);
    assert.ok(Math.max(one, two) < slow - 500, `${one} and ${two} ms, and ${slow} ms`);
    const size = image.blobs.reduce((sum, blob) => sum + blob.byteLength, 0);
    assert.equal(blobBytes(world, source), size);
  });

  row('an upstream that lacks a layer fails all of them with its name, and writes no tag', async (world) => {
    const { image, source, targets } = await scene(world, 'lacks', 2);
    const [layer] = image.blobs.toSorted((one, other) => other.byteLength - one.byteLength);
    assert.ok(layer);
    const digest = parseDigest(digestOf(layer));
    source.state.sabotage(sourcePath, (content) => content.blobs.delete(digest));
    const outcomes = await copyAll(world, source, targets);
    assert.deepEqual(codes(outcomes), ['SourceIncomplete', 'SourceIncomplete']);
    for (const target of targets) assert.equal(target.repository(targetPath).tags.size, 0);
  });
});
