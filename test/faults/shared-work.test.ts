import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseTag } from '../../domain/names/tag.ts';
import { UploadMap } from '../../infra/copy/upload-map.ts';
import { answers, hangs } from '../support/misbehaving-registry/behaviours.ts';
import type { Misbehaviour } from '../support/misbehaving-registry/double.ts';
import { sampleImage } from '../support/misbehaving-registry/images.ts';
import { digestOf } from '../support/misbehaving-registry/content.ts';
import { streamed } from '../support/faults/streamed.ts';
import { heading, row } from '../support/faults/world.ts';
import { rejection } from '../support/refusal.ts';

/** Nobody is slow here but who is told to be. */
const patient = { headersTimeoutMs: 30_000, idleTimeoutMs: 30_000, floorWindowMs: 60_000 };

/** Holds requests back until it is opened; then they get `next`, by default the honest answer. */
class Gate {
  readonly #opened = Promise.withResolvers<void>();
  readonly #reached = Promise.withResolvers<void>();

  behaviour(next?: Misbehaviour): Misbehaviour {
    return async (exchange) => {
      this.#reached.resolve();
      await this.#opened.promise;
      if (next !== undefined) await next(exchange);
      else if (!exchange.socket.destroyed) await exchange.send(await exchange.honestAnswer());
    };
  }

  get reached(): Promise<void> {
    return this.#reached.promise;
  }

  open(): void {
    this.#opened.resolve();
  }
}

heading('Copies that share work with others', () => {
  const layerOf = (image: ReturnType<typeof sampleImage>): string =>
    `/blobs/${digestOf(image.blobs[1] ?? Buffer.alloc(0))}`;

  row(
    'E17 a source that lacks a blob fails its own copy, not one from another source that waited for it',
    async (world) => {
      const image = sampleImage('e17-other-source');
      const { source, target } = await world.pair(image);
      const other = await world.registry();
      other.hold('lib/app', image, 'v1');
      const gate = new Gate();
      source.script(
        { method: 'GET', path: layerOf(image) },
        gate.behaviour((exchange) => exchange.send({ status: 404 })),
      );
      const first = rejection('SourceIncomplete', world.copy(source, target, { tag: 'broken' }));
      await gate.reached;
      const second = world.copy(other, target);
      await sleep(300);
      gate.open();
      await first;
      await second;
      world.landed(target, image);
      assert.equal(target.repository('edge/app').tags.has('broken'), false);
    },
    patient,
  );

  row(
    'N11 a copy that waits for what another one brings ends at once when it is cancelled',
    async (world) => {
      const image = sampleImage('n11-waits');
      const { source, target } = await world.pair(image);
      const gate = new Gate();
      source.script({ method: 'GET', path: layerOf(image) }, gate.behaviour());
      const first = world.copy(source, target);
      await gate.reached;
      const stop = new AbortController();
      const second = rejection(
        'Cancelled',
        world.copy(source, target, { tag: 'v2', hooks: { signal: stop.signal } }),
      );
      await sleep(300);
      stop.abort();
      await second;
      gate.open();
      await first;
      world.landed(target, image);
      assert.equal(target.repository('edge/app').tags.has('v2'), false);
    },
    patient,
  );

  row(
    'N11 a cancelled copy does not take along one that waited for the same list of tags',
    async (world) => {
      const image = sampleImage('n11-list');
      const { source, target } = await world.pair(image);
      const gate = new Gate();
      source.script({ method: 'GET', path: 'tags/list', times: 1 }, gate.behaviour());
      const stop = new AbortController();
      const first = rejection(
        'Cancelled',
        world.copy(source, target, { tag: 'v2', hooks: { signal: stop.signal } }),
      );
      await gate.reached;
      const second = world.copy(source, target);
      await sleep(300);
      stop.abort();
      await first;
      await second;
      gate.open();
      world.landed(target, image);
    },
    patient,
  );

  row('B12 what one credential read is not given to a copy under another one', async (world) => {
    const image = sampleImage('b12-cached');
    const source = await world.basicRegistry();
    source.hold('lib/app', image, 'v1');
    const target = await world.registry();
    await world.copy(source, target);
    const from = world.endpoint(source, 'lib/app');
    const root = await world.engine.resolve(from, parseTag('v1'));
    assert.ok(root !== undefined);
    await rejection(
      'Unauthorized',
      world.engine.copy({
        source: { ...from, registry: { ...from.registry, credential: { username: 'u', password: 'p' } } },
        root,
        target: world.endpoint(target, 'edge/app'),
        tag: parseTag('v2'),
        referrers: false,
      }),
    );
    assert.equal(target.repository('edge/app').tags.has('v2'), false);
  });

  row(
    'H03 nobody waits for the end of an upload that happened to be first after a pause',
    async (world) => {
      const { image, digest, source, target } = await streamed(world, 'h03-first');
      const [half, opened] = [new Gate(), new Gate()];
      const [config = Buffer.alloc(0)] = image.blobs;
      target.repository('edge/app').blobs.set(digestOf(config), config);
      source.script({ method: 'GET', path: digest, times: 1 }, async (exchange) => {
        const body = Buffer.from((await exchange.honestAnswer()).body ?? '');
        exchange.response.writeHead(200, { 'content-length': String(body.byteLength) });
        exchange.response.write(body.subarray(0, 1_000_000));
        await half.behaviour(() => void exchange.response.end(body.subarray(1_000_000)))(exchange);
      });
      target.script({ method: 'POST', path: 'blobs/uploads' }, opened.behaviour());
      const copy = world.copy(source, target);
      await opened.reached;
      // Somebody else is told to wait while the upload is being opened, and gives up.
      target.script({ method: 'HEAD', path: 'manifests/busy', times: 1 }, answers({ status: 429 }));
      const at = world.endpoint(target, 'edge/app');
      const stop = new AbortController();
      const refused = rejection(
        ['RateLimited', 'Cancelled'],
        world.engine.resolve(at, parseTag('busy'), stop.signal),
      );
      await sleep(100);
      stop.abort();
      await refused;
      opened.open();
      while (world.trace.count('PUT', digest.slice(7), target.origin) === 0) await sleep(20);
      const busy = world.engine.resolve(at, parseTag('busy'));
      assert.equal(await Promise.race([busy, sleep(10_000, 'waited')]), undefined);
      half.open();
      await copy;
      world.landed(target, image);
    },
    { ...patient, probeMs: 300 },
  );

  row('F02 an upload that the registry cannot find its own parts of is begun anew', async (world) => {
    const { image, digest, source, target } = await streamed(world, 'f02-parts');
    const notes = new UploadMap();
    const uploads = `/v2/edge/app/blobs/uploads/gone`;
    notes.remember(`${target.origin}/edge/app@${digest}`, `${target.origin}${uploads}`);
    target.script({ path: uploads }, answers({ status: 500 }));
    await world.copy(source, target, { hooks: { uploads: notes } });
    world.landed(target, image);
    assert.ok(world.trace.count('GET', uploads, target.origin) <= 3);
  });

  row(
    'H13 large images leave room for a small one of the same registries',
    async (world) => {
      const [large, small] = [
        sampleImage(
          'h13-large',
          Array.from({ length: 9 }, (_, at) => 1_000_000 + at),
        ),
        sampleImage('h13-small'),
      ];
      const { source, target } = await world.pair(large);
      source.hold('lib/app', small, 'small');
      const gate = new Gate();
      for (const layer of large.blobs.slice(1))
        source.script({ method: 'GET', path: digestOf(layer) }, gate.behaviour());
      const first = world.copy(source, target);
      await gate.reached;
      await sleep(300);
      const second = world.copy(source, target, { reference: 'small', tag: 'small' });
      assert.notEqual(await Promise.race([second, sleep(10_000, 'waited')]), 'waited');
      world.landed(target, small, 'small');
      gate.open();
      await first;
      world.landed(target, large);
    },
    { ...patient, largeBytes: 500_000 },
  );

  row(
    'N11 a call that waits for a token ends at once when it is cancelled',
    async (world) => {
      const { registry, tokens } = await world.bearerRegistry();
      tokens.script({}, hangs());
      const stop = new AbortController();
      const at = world.endpoint(registry, 'lib/app');
      const asked = rejection('Cancelled', world.engine.resolve(at, parseTag('v1'), stop.signal));
      while (world.trace.count('GET', '', tokens.origin) === 0) await sleep(20);
      stop.abort();
      assert.notEqual(await Promise.race([asked, sleep(5000, 'waited')]), 'waited');
    },
    patient,
  );
});
