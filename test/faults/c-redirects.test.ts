import assert from 'node:assert/strict';
import { parseRegistryDomain } from '../../domain/names/registry-domain.ts';
import { mayDial } from '../../domain/registry/addresses.ts';
import { originsOf, redirectGate } from '../../domain/registry/origin.ts';
import { resolveAs } from '../support/faults/name-service.ts';
import { changes } from '../support/misbehaving-registry/behaviours.ts';
import { describe, sampleImage, type SampleImage } from '../support/misbehaving-registry/images.ts';
import { heading, row, sourcePath } from '../support/faults/world.ts';

const blobPath = /\/blobs\/sha256:/;
const https = originsOf({ domain: parseRegistryDomain('r.example') });
const allowPrivate = { allowPrivate: true };

const digests = (image: SampleImage): readonly string[] =>
  image.blobs.map((blob) => (describe('x/y', blob) as { digest: string }).digest);

heading('C. Redirects, URLs and SSRF', () => {
  row('C01 a download is redirected to storage and followed without the credential', async (world) => {
    const image = sampleImage('c01', [50_000]);
    const source = await world.basicRegistry();
    source.hold(sourcePath, image, 'v1');
    const cdn = await world.cdn();
    const addresses = new Map(
      image.blobs.map((blob, index) => [digests(image)[index], cdn.put(`b${index}`, blob)]),
    );
    source.script({ method: 'GET', path: blobPath }, (exchange) =>
      exchange.send({
        status: 307,
        headers: { location: addresses.get(exchange.url.pathname.split('/').at(-1)) ?? '' },
      }),
    );
    const target = await world.registry();
    await world.copy(source, target, { sourceAccess: allowPrivate });
    world.landed(target, image);
    const seen = world.trace.find('GET', '/b', cdn.origin);
    assert.ok(
      seen.length >= 2 &&
        seen.every((entry) => entry.authorization === undefined && entry.cookie === undefined),
    );
  });

  row('C02 another port of the same host gets no credential, and https to http is refused', async (world) => {
    const verdict = redirectGate(new URL('https://r.example/v2/a'), 'http://r.example/v2/a', 1, https);
    assert.equal(verdict.allowed ? 'allowed' : verdict.code, 'DowngradeRefused');
    const image = sampleImage('c02');
    const source = await world.basicRegistry();
    source.hold(sourcePath, image, 'v1');
    const other = await world.registry();
    other.hold(sourcePath, image, 'v1');
    source.script({ method: 'GET', path: blobPath }, (exchange) =>
      exchange.send({ status: 302, headers: { location: `${other.origin}${exchange.url.pathname}` } }),
    );
    const target = await world.registry();
    await world.copy(source, target, { sourceAccess: allowPrivate });
    world.landed(target, image);
    assert.ok(
      world.trace.find('GET', blobPath, other.origin).every((entry) => entry.authorization === undefined),
    );
  });

  for (const [what, location] of [
    ['in a circle', (path: string): string => path],
    ['to nowhere', (): string => ''],
  ] as const) {
    row(`C03 redirects ${what} end`, async (world) => {
      const { source, target } = await world.pair(sampleImage('c03'));
      source.script({ method: 'GET', path: blobPath }, (exchange) => {
        const to = location(exchange.url.pathname);
        return exchange.send({ status: 307, headers: to === '' ? {} : { location: to } });
      });
      await world.copyFails('TooManyRedirects', source, target);
      assert.ok(world.trace.count('GET', blobPath, source.origin) <= 40);
    });
  }

  row('C03 five redirects are followed, the sixth is not', async (world) => {
    const image = sampleImage('c03five');
    for (const [hops, lands] of [
      [5, true],
      [6, false],
    ] as const) {
      const { source, target } = await world.pair(image);
      source.script({ method: 'GET', path: blobPath }, async (exchange) => {
        const hop = Number(exchange.url.searchParams.get('hop') ?? 0);
        if (hop >= hops) await exchange.send(await exchange.honestAnswer());
        else
          await exchange.send({
            status: 307,
            headers: { location: `${exchange.url.pathname}?hop=${hop + 1}` },
          });
      });
      if (lands) await world.copy(source, target);
      else await world.copyFails('TooManyRedirects', source, target);
    }
  });

  row('C05 a name that resolves to another address later is checked for each connection', async (world) => {
    const { source, target } = await world.pair(sampleImage('c05'));
    const storage = await world.registry();
    storage.hold(sourcePath, sampleImage('c05'), 'v1');
    // 0.0.0.0 is never called, whatever the flags; a system that was told to call it would reach this machine.
    resolveAs('rebinding.example', ['127.0.0.1'], ['0.0.0.0']);
    storage.script(
      {},
      changes((answer) => ({ ...answer, headers: { ...answer.headers, connection: 'close' } })),
    );
    source.script({ method: 'GET', path: blobPath }, (exchange) =>
      exchange.send({
        status: 307,
        headers: { location: `http://rebinding.example:${storage.port}${exchange.url.pathname}` },
      }),
    );
    await world.copyFails('AddressRefused', source, target, { sourceAccess: allowPrivate });
    assert.equal(world.trace.count('GET', '', storage.origin), 1, 'only what the first answer led to');
  });

  row('C05 a redirect to a metadata address is not dialled, whatever the flags', async (world) => {
    const image = sampleImage('c05m');
    const { source, target } = await world.pair(image);
    const here = await world.registry();
    here.hold(sourcePath, image, 'v1');
    // The first ones lead back to this machine: without the check they would be reached.
    const hosts = [`0.0.0.0:${here.port}`, `[::ffff:0:0]:${here.port}`];
    for (const host of [...hosts, '169.254.169.254', '[::ffff:a9fe:a9fe]', '[fd00:ec2::254]']) {
      source.clearScripts();
      source.script({ method: 'GET', path: blobPath }, (exchange) =>
        exchange.send({ status: 307, headers: { location: `http://${host}${exchange.url.pathname}` } }),
      );
      await world.copyFails('AddressRefused', source, target, { sourceAccess: allowPrivate });
    }
    assert.equal(world.trace.count('GET', '', here.origin), 0);
    assert.ok(!mayDial('169.254.169.254', { declared: true, allowPrivate: true }).allowed);
  });

  row('C06 a private host behind a redirect is dialled only with allowPrivate', async (world) => {
    const image = sampleImage('c06');
    const { source, target } = await world.pair(image);
    const other = await world.registry();
    other.hold(sourcePath, image, 'v1');
    source.script({ method: 'GET', path: blobPath }, (exchange) =>
      exchange.send({ status: 307, headers: { location: `${other.origin}${exchange.url.pathname}` } }),
    );
    await world.copyFails('AddressRefused', source, target, { sourceAccess: { allowPrivate: false } });
    assert.equal(world.trace.count('GET', '', other.origin), 0);
    await world.copy(source, target, { sourceAccess: allowPrivate });
    world.landed(target, image);
  });

  for (const [method, path] of [
    ['POST', 'blobs/uploads'],
    ['PUT', 'blobs/uploads'],
    ['PUT', '/manifests/'],
  ] as const) {
    row(
      `C02 a redirect of a ${method} to ${path} is not followed: bytes go where they were meant to go`,
      async (world) => {
        const { source, target } = await world.pair(sampleImage('c02w', [200_000]));
        const thief = await world.registry();
        target.script({ method, path }, (exchange) =>
          exchange.send({
            status: 307,
            headers: { location: `${thief.origin}${exchange.request.url ?? ''}` },
          }),
        );
        await world.copyFails(['UnexpectedResponse', 'UploadFailed', 'DestinationRefused'], source, target, {
          targetAccess: allowPrivate,
        });
        assert.equal(world.trace.count('GET|POST|PUT|PATCH', '', thief.origin), 0);
      },
    );
  }
});
