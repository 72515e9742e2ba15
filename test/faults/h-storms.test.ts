import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { parseRegistryDomain } from '../../domain/names/registry-domain.ts';
import { retryAfterMs } from '../../domain/registry/retry-after.ts';
import { answers, hangs, resets } from '../support/misbehaving-registry/behaviours.ts';
import { problem } from '../support/misbehaving-registry/registry-state.ts';
import { sampleImage } from '../support/misbehaving-registry/images.ts';
import { heading, row, sourcePath, targetPath } from '../support/faults/world.ts';

const manyLayers = (id: string, count: number): ReturnType<typeof sampleImage> =>
  sampleImage(
    id,
    Array.from({ length: count }, (_, index) => 500 + index),
  );

heading('H. Rate limits, 5xx storms and network faults', () => {
  row(
    'H01 Retry-After is honoured in all its forms, between a second and an hour; garbage says nothing',
    async (world) => {
      const now = Date.UTC(2026, 10, 24, 8, 49, 37);
      const table: readonly (readonly [string, number | undefined])[] = [
        ['30', 30_000],
        ['Tue, 24 Nov 2026 08:50:37 GMT', 60_000],
        ['Tue, 24 Nov 2020 08:50:37 GMT', 1000],
        ['-5', 1000],
        ['0', 1000],
        ['1000000000', 3_600_000],
        ['soon', undefined],
        ['', undefined],
      ];
      for (const [text, expected] of table)
        assert.equal(retryAfterMs({ retryAfter: text }, now), expected, text);
      const image = sampleImage('h01');
      const { source, target } = await world.pair(image);
      let limited = 0;
      source.script({ method: 'GET', path: '/manifests/', times: 1 }, async (exchange) => {
        limited = performance.now();
        await answers({ status: 429, headers: { 'retry-after': '1' } })(exchange);
      });
      let back = 0;
      source.script({ method: 'GET', path: '/manifests/', times: 1 }, async (exchange) => {
        back = performance.now();
        await exchange.send(await exchange.honestAnswer());
      });
      await world.copy(source, target);
      world.landed(target, image);
      assert.ok(back - limited >= 990, `came back after ${Math.round(back - limited)} ms`);
    },
  );

  row('H01 a wait that is too long for this process is handed on with its time', async (world) => {
    const { source, target } = await world.pair(sampleImage('h01long'));
    source.script(
      { method: 'GET', path: '/manifests/' },
      answers({ status: 429, headers: { 'retry-after': '120' } }),
    );
    const failure = await world.copyFails('RateLimited', source, target);
    assert.ok(failure.retryable && (failure.retryAfterMs ?? 0) > 100_000, String(failure.retryAfterMs));
    assert.ok(world.trace.count('GET', '/manifests/', source.origin) <= 2);
  });

  for (const path of ['/manifests/', '/blobs/']) {
    row(
      `H02 an answer that breaks HTTP, from a host that is throttling, is more throttling (${path})`,
      async (world) => {
        const { source, target } = await world.pair(manyLayers('h02', 6));
        const script = { method: 'GET', path };
        source.script({ ...script, times: 1 }, answers({ status: 429, headers: { 'retry-after': '1' } }));
        source.script(script, (exchange) => {
          exchange.raw('HTTP/1.1 429 Too Many Requests\nRetry-After: 10\nContent-Length: 0\n\n');
        });
        // It would be tried every ten seconds: enough is seen after four.
        const hooks = { signal: AbortSignal.timeout(4000) };
        const blobs = path === '/blobs/';
        await world.copyFails(
          // A blob that was asked for before the first 429 came cannot know.
          ['RateLimited', 'Cancelled', ...(blobs ? (['UnexpectedResponse'] as const) : [])],
          source,
          target,
          { hooks },
        );
        assert.ok(
          world.trace.count('GET', path, source.origin) <= 8,
          'at most one try in ten seconds after the first round',
        );
      },
    );
  }

  row('H03 a 429 holds back all work on the host: few requests, then all of it lands', async (world) => {
    const image = manyLayers('h03', 50);
    const { source, target } = await world.pair(image);
    let until = 0;
    let refused = 0;
    source.script({ method: 'GET', path: '/blobs/' }, async (exchange) => {
      if (until === 0) until = performance.now() + 3000;
      if (performance.now() < until) {
        refused += 1;
        await answers({ status: 429, headers: { 'retry-after': '1' } })(exchange);
      } else await exchange.send(await exchange.honestAnswer());
    });
    world.maxRequests = 1000;
    await world.copy(source, target);
    world.landed(target, image);
    assert.ok(refused <= 14, `${refused} refused requests`);
  });

  row('H05 a fifth of all answers being 5xx costs retries, and no image', async (world) => {
    world.maxRequests = 3000;
    const [source, target] = await Promise.all([world.registry(), world.registry()]);
    let count = 0;
    let seed = 7;
    for (const registry of [source, target]) {
      registry.script({}, async (exchange) => {
        count += 1;
        seed = (seed * 16_807) % 2_147_483_647;
        const status = [500, 502, 503, 504][seed % 4] ?? 500;
        if (seed % 100 < 20) await answers({ status })(exchange);
        else await exchange.send(await exchange.honestAnswer());
      });
    }
    const images = Array.from({ length: 12 }, (_, index) => sampleImage(`h05-${index}`, [20_000, 300]));
    images.forEach((image, index) => source.hold(sourcePath, image, `t${index}`));
    await Promise.all(
      images.map((_, index) => world.copy(source, target, { reference: `t${index}`, tag: `t${index}` })),
    );
    images.forEach((image, index) => world.landed(target, image, `t${index}`));
    const needed = images.length * 20;
    assert.ok(count <= 3 * needed, `${count} requests`);
  });

  row(
    'H06 a host that only fails is left alone after a while; others go on; it is taken back',
    async (world) => {
      world.maxRequests = 4000;
      const image = sampleImage('h06');
      const [source, sick, well] = await Promise.all([world.registry(), world.registry(), world.registry()]);
      source.hold(sourcePath, image, 'v1');
      sick.script({}, answers({ status: 503 }));
      const started = performance.now();
      const lost = await Promise.allSettled(
        Array.from({ length: 40 }, (_, index) => world.copy(source, sick, { tag: `t${index}` })),
      );
      assert.ok(lost.every((result) => result.status === 'rejected'));
      assert.ok(
        world.trace.count('GET|HEAD|POST|PUT|PATCH', '', sick.origin) <= 80,
        `${world.trace.count('GET|HEAD|POST|PUT|PATCH', '', sick.origin)} requests to a dead host`,
      );
      await world.copy(source, well);
      world.landed(well, image);
      sick.clearScripts();
      for (let tries = 0; tries < 20; tries += 1) {
        const ok = await world.copy(source, sick).then(
          () => true,
          () => false,
        );
        if (ok) break;
        await new Promise((resolve) => setTimeout(resolve, 300));
      }
      world.landed(sick, image);
      assert.ok(performance.now() - started < 30_000);
    },
  );

  for (const status of [501, 505]) {
    row(`H07 a ${status} is not tried again and again`, async (world) => {
      const { source, target } = await world.pair(sampleImage('h07'));
      target.script({ method: 'POST' }, answers({ status }));
      await world.copyFails(['UnexpectedResponse', 'DestinationRefused', 'UploadFailed'], source, target);
      assert.ok(world.trace.count('POST', '', target.origin) <= 2 * 3, 'at most two tries a blob');
    });
  }

  for (const [phase, script] of [
    ['instead of a tag’s digest', { method: 'HEAD', path: '/manifests/' }],
    ['instead of a manifest', { method: 'GET', path: '/manifests/' }],
    ['instead of a blob', { method: 'GET', path: '/blobs/' }],
  ] as const) {
    row(`H08 a reset ${phase} is tried again`, async (world) => {
      const image = sampleImage('h08');
      const { source, target } = await world.pair(image);
      source.script({ ...script, times: 2 }, resets());
      await world.copy(source, target);
      world.landed(target, image);
    });
  }

  for (const late of [false, true]) {
    const when = late ? 'after the work was done' : 'before';
    for (const method of ['POST', 'PUT', 'PATCH'] as const) {
      row(
        `H08 a reset of a ${method} at the target, ${when}, ends with the image there once`,
        async (world) => {
          const image = sampleImage('h08t', [400_000]);
          const { source, target } = await world.pair(image);
          target.script({ method, times: 2 }, resets(late));
          await world.copy(source, target);
          world.landed(target, image);
        },
      );
    }
  }

  row('H08 a refused connection is ConnectionRefused after a few tries', async (world) => {
    const { source, target } = await world.pair(sampleImage('h08c'));
    const access = { domain: parseRegistryDomain('127.0.0.1:1') };
    await world.copyFails('ConnectionRefused', source, target, { targetAccess: access });
  });

  row('H11 a kept connection that is closed just as it is used again is replaced at once', async (world) => {
    const image = manyLayers('h11', 8);
    const { source, target } = await world.pair(image);
    const used = new WeakSet<object>();
    for (const registry of [source, target]) {
      registry.script({}, async (exchange) => {
        if (used.has(exchange.socket)) return exchange.reset();
        used.add(exchange.socket);
        return exchange.send(await exchange.honestAnswer());
      });
    }
    const started = performance.now();
    await world.copy(source, target);
    world.landed(target, image);
    assert.ok(performance.now() - started < 8000);
  });

  row(
    'H12 Warning headers, whatever they say and however often, are told once and are no failure',
    async (world) => {
      const image = sampleImage('h12', [300_000]);
      const { source, target } = await world.pair(image);
      for (const registry of [source, target]) {
        registry.script({}, async (exchange) => {
          const honest = await exchange.honestAnswer();
          const warning = [
            '299 - "this registry is retired soon"',
            '299 r.example "geschlossen für immer: \\"ja\\"" "Tue, 24 Nov 2026 08:49:37 GMT"',
            `199 - "${'long '.repeat(400)}"`,
            '',
          ];
          await exchange.send({ ...honest, headers: { ...honest.headers, warning } });
        });
      }
      await world.copy(source, target);
      world.landed(target, image);
      const text = 'this registry is retired soon';
      assert.deepEqual(
        world.warnings.toSorted(),
        [source, target].map(({ host }) => `${host}: ${text}`).toSorted(),
      );
    },
  );

  row('H13 a registry that answers nothing does not slow the others down', async (world) => {
    world.maxRequests = 3000;
    const [source, dead, ...well] = await Promise.all(Array.from({ length: 6 }, () => world.registry()));
    assert.ok(source !== undefined && dead !== undefined);
    const image = sampleImage('h13', [10_000]);
    source.hold(sourcePath, image, 'v1');
    dead.script({}, hangs());
    const controller = new AbortController();
    const hooks = { signal: controller.signal };
    const stuck = Promise.allSettled(
      Array.from({ length: 40 }, (_, index) => world.copy(source, dead, { tag: `t${index}`, hooks })),
    );
    await new Promise((resolve) => setTimeout(resolve, 200));
    const started = performance.now();
    await Promise.all(well.map((target) => world.copy(source, target)));
    for (const target of well) world.landed(target, image);
    assert.ok(performance.now() - started < 3000, `${Math.round(performance.now() - started)} ms`);
    controller.abort();
    assert.ok((await stuck).every((result) => result.status === 'rejected'));
    assert.equal(dead.repository(targetPath).tags.size, 0);
  });

  row('H05 a 5xx with a body that is no JSON, and one that is huge, are only 5xx', async (world) => {
    const image = sampleImage('h05x');
    const { source, target } = await world.pair(image);
    target.script({ method: 'POST', times: 1 }, answers({ status: 502, body: '<html>'.repeat(100_000) }));
    target.script(
      { method: 'PUT', times: 1 },
      answers({ ...problem(503, 'UNAVAILABLE'), body: '{"errors":' }),
    );
    await world.copy(source, target);
    world.landed(target, image);
  });
});
