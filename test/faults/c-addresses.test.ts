import assert from 'node:assert/strict';
import { parseRegistryDomain } from '../../domain/names/registry-domain.ts';
import { locationGate, originsOf } from '../../domain/registry/origin.ts';
import { answers, changes } from '../support/misbehaving-registry/behaviours.ts';
import {
  describe,
  imageOf,
  sampleBytes,
  sampleImage,
  type SampleImage,
} from '../support/misbehaving-registry/images.ts';
import { heading, row, sourcePath, targetPath } from '../support/faults/world.ts';
import { rejection } from '../support/refusal.ts';

const blobPath = /\/blobs\/sha256:/;
const https = originsOf({ domain: parseRegistryDomain('r.example') });
const allowPrivate = { allowPrivate: true };

const digests = (image: SampleImage): readonly string[] =>
  image.blobs.map((blob) => (describe('x/y', blob) as { digest: string }).digest);

heading('C. Upload addresses, lists, foreign layers, storage hosts', () => {
  row('C07 an upload Location may be relative and keeps its query', async (world) => {
    const image = sampleImage('c07', [70_000]);
    const { source, target } = await world.pair(image);
    target.script(
      { method: 'POST|PATCH', path: 'blobs/uploads' },
      changes((answer) => {
        const location = String(answer.headers?.['location'] ?? '')
          .replace(target.origin, '')
          .replace('_state=s%3D', '_state=a%2Fb%3D%3D&x=');
        return { ...answer, headers: { ...answer.headers, location } };
      }),
    );
    await world.copy(source, target);
    world.landed(target, image);
    const commits = world.trace.find('PUT', 'blobs/uploads', target.origin);
    assert.ok(
      commits.length > 0 &&
        commits.every(
          (entry) => entry.path.includes('_state=a%2Fb%3D%3D&x=') && entry.path.includes('digest=sha256'),
        ),
    );
  });

  row('C07 an upload Location on another host gets neither bytes nor credential', async (world) => {
    const source = await world.registry();
    source.hold(sourcePath, sampleImage('c07x'), 'v1');
    const [target, thief] = await Promise.all([world.basicRegistry(), world.registry()]);
    target.script(
      { method: 'POST', path: 'blobs/uploads' },
      changes((answer) => ({
        ...answer,
        headers: { ...answer.headers, location: `${thief.origin}/v2/${targetPath}/blobs/uploads/1` },
      })),
    );
    await world.copyFails('LocationRefused', source, target, { targetAccess: allowPrivate });
    assert.equal(world.trace.count('GET|POST|PATCH|PUT|HEAD', '', thief.origin), 0);
  });

  row('C07 a declared upload origin gets the bytes, and never the credential', async (world) => {
    const image = sampleImage('c07d', [300_000, 900]);
    const source = await world.registry();
    source.hold(sourcePath, image, 'v1');
    const [target, storage] = await Promise.all([world.basicRegistry(), world.registry()]);
    target.script({ method: 'POST', path: 'blobs/uploads' }, async (exchange) => {
      const honest = await exchange.honestAnswer();
      const location = `${storage.origin}/put/1?sig=a%2Fb`;
      await exchange.send(
        honest.status === 202 ? { ...honest, headers: { ...honest.headers, location } } : honest,
      );
    });
    storage.script({ method: 'PUT', path: '/put/1' }, async (exchange) => {
      const digest = exchange.url.searchParams.get('digest') ?? '';
      target.repository(targetPath).blobs.set(digest, await exchange.body());
      await exchange.send({ status: 201 });
    });
    await world.copyFails('LocationRefused', source, target, { targetAccess: allowPrivate });
    await world.copyFails('AddressRefused', source, target, {
      targetAccess: { uploadOrigins: [storage.origin] },
    });
    assert.equal(world.trace.count('PUT', '', storage.origin), 0);
    await world.copy(source, target, { targetAccess: { ...allowPrivate, uploadOrigins: [storage.origin] } });
    world.landed(target, image);
    const sent = world.trace.find('PUT', '/put/1?sig=a%2Fb&digest=sha256', storage.origin);
    assert.equal(sent.length, image.blobs.length);
    assert.ok(sent.every(({ authorization }) => authorization === undefined));
  });

  row('C08 an upload Location to plain http or to a private address is refused', async (world) => {
    const from = new URL('https://r.example/v2/a/blobs/uploads/');
    for (const location of [
      'http://r.example/v2/a/blobs/uploads/1',
      'https://10.0.0.1/x',
      'https://127.0.0.1/x',
      'https://[::1]/x',
    ]) {
      const verdict = locationGate(from, location, https);
      assert.equal(verdict.allowed ? 'allowed' : verdict.code, 'LocationRefused');
    }
    const { source, target } = await world.pair(sampleImage('c08'));
    target.script(
      { method: 'POST' },
      changes((answer) => ({ ...answer, headers: { location: 'http://10.255.255.1/v2/x' } })),
    );
    await world.copyFails('LocationRefused', source, target);
  });

  row(
    'C10 a tag list that links to itself, in circles or without end stops',
    async (world) => {
      const registry = await world.registry();
      for (let index = 0; index < 30; index += 1) registry.hold(sourcePath, sampleImage('c10'), `t${index}`);
      const list = (link: (page: number) => string): void => {
        registry.clearScripts();
        let page = 0;
        registry.script({ path: 'tags/list' }, (exchange) => {
          page += 1;
          return exchange.send({
            status: 200,
            headers: { link: link(page) },
            body: JSON.stringify({ name: sourcePath, tags: [`p${page}`] }),
          });
        });
      };
      const tags = `/v2/${sourcePath}/tags/list`;
      const endpoint = world.endpoint(registry, sourcePath);
      world.maxRequests = 3000;
      list(() => `<${tags}?last=a>; rel="next"`);
      await rejection(['PaginationLoop', 'ListingIncomplete'], world.engine.listTags(endpoint));
      list((page) => `<${tags}?last=${page % 2}>; rel="next"`);
      await rejection(['PaginationLoop', 'ListingIncomplete'], world.engine.listTags(endpoint));
      const before = world.trace.entries.length;
      list((page) => `<${tags}?last=${page}>; rel="next"`);
      await rejection(['PaginationLoop', 'ListingIncomplete'], world.engine.listTags(endpoint));
      assert.ok(world.trace.entries.length - before <= 1001, 'at most a thousand pages');
    },
    { headersTimeoutMs: 30_000, idleTimeoutMs: 30_000 },
  );

  row(
    'C10 a Link without brackets is followed on the same path, and never to another port',
    async (world) => {
      const [registry, other] = await Promise.all([world.registry(), world.registry()]);
      const tags = `/v2/${sourcePath}/tags/list`;
      const endpoint = world.endpoint(registry, sourcePath);
      registry.script({ path: 'last=a' }, answers({ status: 200, body: '{"name":"x","tags":["b"]}' }));
      registry.script(
        { path: 'tags/list', times: 1 },
        answers({
          status: 200,
          headers: { link: `${tags}?last=a; rel="next"` },
          body: '{"name":"x","tags":["a"]}',
        }),
      );
      assert.deepEqual(await world.engine.listTags(endpoint), ['a', 'b']);
      registry.script(
        { path: 'tags/list' },
        answers({
          status: 200,
          headers: { link: `<${other.origin}${tags}?last=a>; rel="next"` },
          body: '{"name":"x","tags":["a"]}',
        }),
      );
      await rejection('ListingIncomplete', world.engine.listTags(endpoint));
      assert.equal(world.trace.count('GET', '', other.origin), 0);
    },
  );

  row('C11 a layer that is stored elsewhere is refused and its address not asked', async (world) => {
    const [honeypot, source, target] = await Promise.all([world.cdn(), world.registry(), world.registry()]);
    const [config, layer] = [Buffer.from('{"c":11}'), sampleBytes('c11', 100)];
    const foreign = describe('application/vnd.docker.image.rootfs.foreign.diff.tar.gzip', layer, {
      urls: [`${honeypot.origin}/layer`],
    });
    const image = imageOf([config], {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: describe('application/vnd.oci.image.config.v1+json', config),
      layers: [foreign],
    });
    source.hold(sourcePath, image, 'v1');
    await world.copyFails('ForeignLayerRefused', source, target, { sourceAccess: allowPrivate });
    assert.equal(world.trace.count('GET|HEAD', '', honeypot.origin), 0);
  });

  row('C12 a presigned address gets no Authorization (S3 answers 400 to one)', async (world) => {
    const image = sampleImage('c12');
    const { registry } = await world.bearerRegistry();
    registry.hold(sourcePath, image, 'v1');
    const cdn = await world.cdn();
    const addresses = new Map(
      image.blobs.map((blob, index) => [digests(image)[index], cdn.put(`x${index}`, blob)]),
    );
    registry.script({ method: 'GET', path: blobPath }, async (exchange) => {
      const honest = await exchange.honestAnswer();
      if (honest.status === 401) await exchange.send(honest);
      else
        await exchange.send({
          status: 307,
          headers: { location: addresses.get(exchange.url.pathname.split('/').at(-1)) ?? '' },
        });
    });
    const target = await world.registry();
    await world.copy(registry, target, { sourceAccess: allowPrivate });
    world.landed(target, image);
    assert.ok(world.trace.find('GET', 'presigned', cdn.origin).every((entry) => entry.status === 200));
  });

  row('C13 a challenge from the storage host is not answered', async (world) => {
    const image = sampleImage('c13');
    const { registry, tokens } = await world.bearerRegistry();
    registry.hold(sourcePath, image, 'v1');
    const [cdn, thief] = await Promise.all([world.cdn(), world.cdn()]);
    cdn.script(
      {},
      answers({ status: 401, headers: { 'www-authenticate': `Bearer realm="${thief.origin}/token"` } }),
    );
    registry.script({ method: 'GET', path: blobPath }, async (exchange) => {
      const honest = await exchange.honestAnswer();
      if (honest.status === 401) await exchange.send(honest);
      else await exchange.send({ status: 307, headers: { location: `${cdn.origin}/x` } });
    });
    const before = world.trace.count('GET', '/token', tokens.origin);
    await world.copyFails('CrossOriginChallenge', registry, await world.registry(), {
      sourceAccess: allowPrivate,
    });
    assert.equal(world.trace.count('GET', '', thief.origin), 0);
    assert.ok(world.trace.count('GET', '/token', tokens.origin) - before <= 3);
  });
});
