import assert from 'node:assert/strict';
import { answers, changes } from '../support/misbehaving-registry/behaviours.ts';
import { digestOf } from '../support/misbehaving-registry/content.ts';
import type { Exchange } from '../support/misbehaving-registry/exchange.ts';
import { describe, imageOf, sampleImage } from '../support/misbehaving-registry/images.ts';
import {
  body,
  config,
  copied,
  layer,
  ociManifest,
  refused,
  withLayer,
} from '../support/faults/manifest-rows.ts';
import { heading, row } from '../support/faults/world.ts';

const dockerManifest = 'application/vnd.docker.distribution.manifest.v2+json';
heading('D. Manifests and graph shape', () => {
  row('D01 a Content-Type that differs from the mediaType inside is refused', (world) =>
    refused(world, 'MediaTypeMismatch', imageOf([config, layer], body(), dockerManifest)),
  );

  row('D02 a manifest that is image and index at once is refused', async (world) => {
    const list = [describe(ociManifest, Buffer.from('{}'))];
    await refused(world, 'AmbiguousManifest', imageOf([config, layer], body({ manifests: list })));
    const index = { ...body({ manifests: list }), mediaType: 'application/vnd.oci.image.index.v1+json' };
    await refused(
      world,
      'AmbiguousManifest',
      imageOf([config, layer], index, 'application/vnd.oci.image.index.v1+json'),
    );
  });

  row('D03 Docker schema 1 and unknown types are refused in clear words', async (world) => {
    const schema1 = imageOf(
      [layer],
      { schemaVersion: 1, name: 'a', tag: 'b', fsLayers: [] },
      'application/vnd.docker.distribution.manifest.v1+prettyjws',
    );
    await refused(world, 'UnsupportedMediaType', schema1);
    await refused(
      world,
      'UnsupportedMediaType',
      imageOf([config, layer], body({ mediaType: 'application/x-new' }), 'application/x-new'),
    );
  });

  row(
    'D05 a Docker-Content-Digest that is missing or nonsense changes nothing: the bytes decide',
    async (world) => {
      for (const header of [undefined, 'nonsense', 'sha256:short']) {
        const image = sampleImage('d05');
        const { source, target } = await world.pair(image);
        for (const registry of [source, target]) {
          registry.script(
            { path: /manifests|blobs/ },
            changes((answer) => {
              const { 'docker-content-digest': _, ...rest } = answer.headers ?? {};
              return {
                ...answer,
                headers: header === undefined ? rest : { ...rest, 'docker-content-digest': header },
              };
            }),
          );
        }
        await world.copy(source, target);
        world.landed(target, image);
      }
    },
  );

  row(
    'D05 a wrong digest on a GET is ignored; one on the HEAD of a tag can only fail, never lead to other content',
    async (world) => {
      const wrong = { 'docker-content-digest': `sha256:${'0'.repeat(64)}` };
      const lie = changes((answer) => ({ ...answer, headers: { ...answer.headers, ...wrong } }));
      const image = sampleImage('d05w');
      const { source, target } = await world.pair(image);
      source.script({ method: 'GET' }, lie);
      await world.copy(source, target);
      world.landed(target, image);
      source.script({ method: 'HEAD', path: '/manifests/' }, lie);
      await world.copyFails(
        ['ManifestNotFound', 'SourceIncomplete', 'DigestMismatch'],
        source,
        await world.registry(),
      );
    },
  );

  row('D05 where a HEAD is refused or makes no sense, a GET decides', async (world) => {
    const image = sampleImage('d05get');
    for (const refuse of [
      answers({ status: 405 }),
      answers({ status: 400 }),
      (exchange: Exchange) => exchange.raw(Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n')),
      (exchange: Exchange) => exchange.raw(Buffer.from('nonsense\r\n\r\n')),
    ]) {
      const { source, target } = await world.pair(image);
      for (const registry of [source, target])
        registry.script({ method: 'HEAD', path: '/manifests/' }, refuse);
      await world.copy(source, target);
      world.landed(target, image);
    }
  });

  row(
    'D06 a manifest of more than 4 MiB, or without end, is cut off at 4 MiB and not sent on',
    async (world) => {
      const big = sampleImage('d06', [10], { annotations: { big: 'x'.repeat(4 * 1024 * 1024) } });
      await refused(world, 'ManifestTooLarge', big);
      const image = sampleImage('d06x');
      const { source, target } = await world.pair(image);
      let sent = 0;
      source.script({ method: 'GET', path: '/manifests/' }, async (exchange) => {
        exchange.response.writeHead(200, { 'content-type': ociManifest });
        const chunk = Buffer.alloc(65_536, 0x20);
        while (!exchange.socket.destroyed && sent < 64 * 1024 * 1024) {
          sent += chunk.byteLength;
          if (!exchange.response.write(chunk))
            await Promise.race([
              new Promise((resolve) => exchange.response.once('drain', resolve)),
              new Promise((resolve) => exchange.socket.once('close', resolve)),
            ]);
        }
      });
      await world.copyFails('ManifestTooLarge', source, target);
      assert.ok(sent < 32 * 1024 * 1024, `${sent} bytes were taken`);
    },
  );

  for (const [what, text] of [
    [
      'a duplicate key',
      JSON.stringify(body()).replace('"schemaVersion":2', '"schemaVersion":2,"schemaVersion":2'),
    ],
    ['two layers lists', JSON.stringify(body()).replace(/}$/, ',"layers":[]}')],
    ['__proto__', JSON.stringify(body()).replace(/}$/, ',"__proto__":{"x":1}}')],
    [
      'a depth of 10,000',
      JSON.stringify(body()).replace(/}$/, `,"x":${'['.repeat(10_000)}${']'.repeat(10_000)}}`),
    ],
    ['a byte order mark', `\ufeff${JSON.stringify(body())}`],
    ['trailing garbage', `${JSON.stringify(body())}{}`],
    ['a size of 2^53 + 1', JSON.stringify(body()).replace('"size":500', '"size":9007199254740993')],
    ['no JSON at all', '<html></html>'],
  ] as const) {
    row(`D07 a manifest with ${what} is refused`, (world) =>
      refused(world, 'InvalidManifest', imageOf([config, layer], text)),
    );
  }

  row('D07 a manifest that is not UTF-8 is refused', (world) => {
    const image = imageOf([config, layer], body({ annotations: { a: 'XY' } }));
    const bytes = Buffer.from(image.manifest.bytes);
    bytes[bytes.indexOf('XY')] = 0xff;
    return refused(world, 'InvalidManifest', {
      ...image,
      digest: digestOf(bytes),
      manifest: { mediaType: ociManifest, bytes },
      manifests: [{ mediaType: ociManifest, bytes }],
    });
  });

  for (const [what, size] of [
    ['negative', -1],
    ['fractional', 1.5],
    ['a string', '500'],
    ['missing', undefined],
    ['2^62', 2 ** 62],
  ] as const) {
    row(`D08 a layer size that is ${what} is refused`, (world) =>
      refused(world, 'InvalidManifest', withLayer({ size })),
    );
  }

  for (const size of [400, 600, 5_000_000_000]) {
    row(`D08 a layer of 500 bytes that claims ${size} is not committed`, (world) =>
      refused(world, ['SizeMismatch', 'Truncated', 'DigestMismatch'], withLayer({ size })),
    );
  }

  row('D10 one digest with two sizes is refused; with two media types it moves once', async (world) => {
    const first = describe('application/vnd.oci.image.layer.v1.tar', layer);
    await refused(
      world,
      'InvalidManifest',
      imageOf([config, layer], body({ layers: [first, { ...first, size: 501 }] })),
    );
    const image = imageOf(
      [config, layer],
      body({ layers: [first, { ...first, mediaType: 'application/vnd.oci.image.layer.v1.tar+x' }] }),
    );
    const { source, target } = await world.pair(image);
    await world.copy(source, target);
    world.landed(target, image);
    assert.equal(world.trace.count('GET', `/blobs/${digestOf(layer)}`, source.origin), 1);
  });

  row(
    'D11 an empty blob, the empty config, an artifact and an image without layers are copied',
    async (world) => {
      const empty = Buffer.alloc(0);
      await copied(
        world,
        imageOf(
          [config, empty],
          body({ layers: [describe('application/vnd.oci.image.layer.v1.tar', empty)] }),
        ),
      );
      const braces = Buffer.from('{}');
      const artifact = {
        artifactType: 'application/x-sbom',
        config: describe('application/vnd.oci.empty.v1+json', braces),
      };
      await copied(world, imageOf([braces, layer], body({ ...artifact })));
      await copied(world, imageOf([braces], body({ ...artifact, layers: [] })));
      await copied(world, imageOf([config], body({ layers: null })));
    },
  );

  row('D12 embedded data that is wrong is refused; where it is right the blob still lands', async (world) => {
    const wrong = Buffer.from(layer).fill(0).toString('base64');
    await refused(world, ['DigestMismatch', 'InvalidManifest'], withLayer({ data: wrong }));
    await copied(world, withLayer({ data: layer.toString('base64') }));
  });

  row(
    'D13 unknown fields, odd spacing, key order and no final newline arrive byte by byte',
    async (world) => {
      const text = `{ "zzz" : [ 1.50, 2e0 , "\\u00e4" ],\r\n\t"layers":${JSON.stringify(body()['layers'])}, "unknown": null,\n"config" :${JSON.stringify(body()['config'])},"mediaType":"${ociManifest}" ,"schemaVersion":2 } \n\n`;
      await copied(world, imageOf([config, layer], text));
      await copied(world, imageOf([config, layer], JSON.stringify(body(), undefined, 3)));
    },
  );
});
