import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { answers } from '../support/misbehaving-registry/behaviours.ts';
import { digestOf } from '../support/misbehaving-registry/content.ts';
import {
  describe,
  sampleImage,
  sampleIndex,
  type SampleImage,
} from '../support/misbehaving-registry/images.ts';
import { problem } from '../support/misbehaving-registry/registry-state.ts';
import { copied, layer, ociManifest, refused, withLayer } from '../support/faults/manifest-rows.ts';
import { heading, row, sourcePath, targetPath } from '../support/faults/world.ts';

const program = join(import.meta.dirname, '..', '..', 'worker', 'imageferry.ts');
heading('D. Graphs, referrers and digests', () => {
  row(
    'D15 an index whose child is missing at the source fails before any tag, and names the child',
    async (world) => {
      const [here, gone] = [sampleImage('d15a'), sampleImage('d15b')];
      const image = sampleIndex([here, gone]);
      const { source, target } = await world.pair(image);
      source.repository(sourcePath).manifests.delete(gone.digest);
      const failure = await world.copyFails('SourceIncomplete', source, target);
      assert.ok(failure.message.includes(gone.digest), failure.message);
      assert.equal(world.trace.count('PUT', '/manifests/v1', target.origin), 0);
    },
  );

  row('D16 a subject that is nowhere is no obstacle', (world) => {
    const subject = describe(ociManifest, Buffer.from('gone'));
    return copied(world, sampleImage('d16', [100], { subject, artifactType: 'application/x' }));
  });

  row('D16 what refers to an image is written after the image, and before its tag', async (world) => {
    const image = sampleImage('d16s');
    const { source, target } = await world.pair(image);
    const subject = describe(ociManifest, image.manifest.bytes);
    const signature = sampleImage('d16sig', [64], { subject, artifactType: 'application/x-signature' });
    source.hold(sourcePath, signature);
    await world.copy(source, target);
    world.landed(target, image);
    const written = world.trace
      .find('PUT', '/manifests/', target.origin)
      .map(({ path }) => path.split('/').at(-1));
    assert.deepEqual(written, [image.digest, signature.digest, 'v1']);
  });

  for (const [what, referrersApi] of [
    ['through the API', true],
    ['through the fallback tag', false],
  ] as const) {
    row(`D17 referrers are found and kept ${what}`, async (world) => {
      const image = sampleImage('d17');
      const { source, target } = await world.pair(image, {
        source: { referrersApi },
        target: { referrersApi },
      });
      const subject = describe(ociManifest, image.manifest.bytes);
      const signature = sampleImage('d17sig', [64], { subject, artifactType: 'application/x-signature' });
      source.hold(sourcePath, signature);
      const fallback = image.digest.replace(':', '-');
      if (!referrersApi) source.hold(sourcePath, sampleIndex([signature]), fallback);
      const report = await world.copy(source, target);
      assert.equal(report.referrers, 1);
      world.landed(target, image);
      assert.deepEqual(target.repository(targetPath).missing(signature.digest), []);
      if (referrersApi) return;
      const index = target.tagged(targetPath, fallback);
      assert.ok(index?.bytes.includes(signature.digest), 'the fallback tag lists it');
    });
  }

  row('D17 a fallback tag keeps what others put there', async (world) => {
    const image = sampleImage('d17k');
    const subject = describe(ociManifest, image.manifest.bytes);
    const { source, target } = await world.pair(image, {
      source: { referrersApi: false },
      target: { referrersApi: false },
    });
    const [ours, theirs] = ['a', 'b'].map((id) =>
      sampleImage(`d17k${id}`, [64], { subject, artifactType: `application/x-${id}` }),
    ) as [SampleImage, SampleImage];
    const fallback = image.digest.replace(':', '-');
    source.hold(sourcePath, sampleIndex([ours]), fallback);
    target.hold(targetPath, sampleIndex([theirs]), fallback);
    await world.copy(source, target);
    const bytes = target.tagged(targetPath, fallback)?.bytes;
    assert.ok(bytes?.includes(ours.digest) === true && bytes.includes(theirs.digest));
  });

  row('D17 a 404 about a repository says nothing about the referrers API', async (world) => {
    const [first, image] = [sampleImage('d17n'), sampleImage('d17m')];
    const { source, target } = await world.pair(first);
    source.script({ method: 'GET', path: '/referrers/', times: 1 }, answers(problem(404, 'NAME_UNKNOWN')));
    await world.copy(source, target);
    const subject = describe(ociManifest, image.manifest.bytes);
    source.hold(sourcePath, image, 'v1');
    source.hold(
      sourcePath,
      sampleImage('d17msig', [64], { subject, artifactType: 'application/x-signature' }),
    );
    assert.equal((await world.copy(source, target)).referrers, 1);
  });

  row("D17 cosign's tags travel with the image", async (world) => {
    const image = sampleImage('d17c');
    const { source, target } = await world.pair(image);
    const signature = sampleImage('d17csig', [64]);
    const tag = `${image.digest.replace(':', '-')}.sig`;
    source.hold(sourcePath, signature, tag);
    await world.copy(source, target);
    assert.equal(target.repository(targetPath).tags.get(tag), signature.digest);
  });

  row('D18 unknown/unknown children (build attestations) are copied with their index', async (world) => {
    const image = sampleIndex([sampleImage('d18a'), sampleImage('d18b'), sampleImage('d18c', [80])]);
    assert.ok(image.manifest.bytes.includes('"unknown"'));
    await copied(world, image);
  });

  row('D18 an index inside an index, and one child listed twice, are copied', async (world) => {
    const inner = sampleIndex([sampleImage('n1'), sampleImage('n2')]);
    const child = sampleImage('n3');
    await copied(world, sampleIndex([inner, child, child]));
  });

  row(
    'A01 a manifest that lists a climbing digest is refused, and the digest is in no request',
    async (world) => {
      const evil = 'sha256:../../../etc/passwd';
      await refused(world, 'InvalidDigest', withLayer({ digest: evil }));
      assert.equal(world.trace.count('GET|HEAD|POST|PUT', 'etc'), 0);
    },
  );

  row('A03 a sha512 blob is verified and copied; a wrong one is not', async (world) => {
    const digest = digestOf(layer, 'sha512');
    const image = withLayer({ digest });
    const { source, target } = await world.pair(image);
    source.repository(sourcePath).blobs.set(digest, layer);
    await world.copy(source, target);
    world.landed(target, image);
    source.repository(sourcePath).blobs.set(digest, Buffer.from(layer.toReversed()));
    await world.copyFails('DigestMismatch', source, await world.registry());
  });

  row(
    'A07 where tag and digest are given the digest wins and the tag is only the name at the target',
    async (world) => {
      const [old, now] = [sampleImage('a07old'), sampleImage('a07new')];
      const { source, target } = await world.pair(now);
      source.hold(sourcePath, old);
      const names = [`${source.host}/${sourcePath}:v1@${old.digest}`, `${target.host}/${targetPath}`];
      await promisify(execFile)(process.execPath, [program, 'copy', '--quiet', ...names]);
      world.landed(target, old);
    },
  );

  row('D03 a retired answer to the tag is refused as such', async (world) => {
    const { source, target } = await world.pair(sampleImage('d03'));
    source.script(
      { method: 'GET', path: '/manifests/' },
      answers({ status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' }),
    );
    await world.copyFails(
      ['UnsupportedMediaType', 'InvalidManifest', 'DigestMismatch', 'MediaTypeMismatch'],
      source,
      target,
    );
  });
});
