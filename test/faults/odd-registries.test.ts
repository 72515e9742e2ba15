import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { answers, hangs } from '../support/misbehaving-registry/behaviours.ts';
import {
  describe,
  imageOf,
  sampleImage,
  sampleIndex,
  type SampleImage,
} from '../support/misbehaving-registry/images.ts';
import { problem } from '../support/misbehaving-registry/registry-state.ts';
import { ociManifest } from '../support/faults/manifest-rows.ts';
import { streamed } from '../support/faults/streamed.ts';
import { heading, row, sourcePath, targetPath } from '../support/faults/world.ts';

const program = join(import.meta.dirname, '..', '..', 'worker', 'imageferry.ts');
const ociIndex = 'application/vnd.oci.image.index.v1+json';

/** Runs `imageferry`; resolves with its exit code and what it printed. */
function imageferry(...args: readonly string[]): Promise<{ readonly code: number; readonly out: string }> {
  const env = {
    ...process.env,
    DOCKER_CONFIG: '/nowhere',
    XDG_STATE_HOME: join(tmpdir(), 'imageferry-none'),
  };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [program, ...args], { env }, (_error, out, err) =>
      resolve({ code: child.exitCode ?? -1, out: `${out}${err}` }),
    );
  });
}

const indexOf = (children: readonly SampleImage[], entries: readonly object[]): SampleImage => {
  const index = imageOf(
    children.flatMap((child) => child.blobs),
    { schemaVersion: 2, mediaType: ociIndex, manifests: entries },
    ociIndex,
  );
  return { ...index, manifests: [...children.flatMap((child) => child.manifests), index.manifest] };
};

const entryOf = (image: SampleImage, more: object = {}): object =>
  describe(image.manifest.mediaType, image.manifest.bytes, more);

heading('Registries and images that are unlike the others', () => {
  for (const [what, answer] of [
    ['400, as Quay does', problem(400, 'MANIFEST_INVALID')],
    ['405', { status: 405 }],
    ['406, as Artifactory does', { status: 406 }],
    [
      'a web page, as Artifact Registry does',
      { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>sign in</html>' },
    ],
  ] as const) {
    row(`D17 a registry that answers the referrers API with ${what} has the fallback tag`, async (world) => {
      const image = sampleImage('d17-odd');
      const { source, target } = await world.pair(image);
      const subject = describe(ociManifest, image.manifest.bytes);
      const signature = sampleImage('d17-odd-sig', [64], { subject, artifactType: 'application/x' });
      const fallback = indexOf([], [entryOf(signature, { artifactType: 'application/x' })]);
      source.hold(sourcePath, signature);
      source.hold(sourcePath, fallback, image.digest.replace(':', '-'));
      source.script({ path: '/referrers/' }, answers(answer));
      const report = await world.copy(source, target);
      world.landed(target, image);
      assert.deepEqual([report.referrers, report.referrersMissing], [1, 0]);
    });
  }

  row('D17 a list of tags that never comes is no reason not to copy', async (world) => {
    const image = sampleImage('d17-list');
    const { source, target } = await world.pair(image);
    source.script({ path: 'tags/list' }, hangs());
    await world.copy(source, target);
    world.landed(target, image);
    assert.ok(world.trace.count('GET', 'tags/list', source.origin) <= 2);
  });

  row('D16 attachments that cannot be copied, or are too many, are missing, each once', async (world) => {
    world.maxRequests = 20_000;
    const image = sampleImage('d16-many');
    const { source, target } = await world.pair(image);
    const subject = describe(ociManifest, image.manifest.bytes);
    const signature = sampleImage('d16-many-sig', [64], { subject, artifactType: 'application/x' });
    source.hold(sourcePath, signature);
    const gone = Array.from({ length: 1002 }, (_, at) => describe(ociManifest, Buffer.from(`gone ${at}`)));
    const listed = indexOf([], [entryOf(signature), ...gone]);
    source.script(
      { path: `/referrers/${image.digest}` },
      answers({ status: 200, headers: { 'content-type': ociIndex }, body: listed.manifest.bytes }),
    );
    const report = await world.copy(source, target);
    assert.deepEqual([report.referrers, report.referrersMissing], [1, 1002]);
  });

  row('F06 one blob that is refused in every way leaves the way of the others as it was', async (world) => {
    const { digest, source, target } = await streamed(world, 'f06-bad');
    target.script({ method: 'PUT|PATCH', path: digest.slice(7) }, answers(problem(400, 'SIZE_INVALID')));
    target.script({ method: 'PATCH' }, answers(problem(400, 'SIZE_INVALID')));
    await world.copyFails('DestinationRefused', source, target);
    target.clearScripts();
    const good = sampleImage('f06-good', [3_000_000]);
    source.hold(sourcePath, good, 'v2');
    const before = world.trace.count('PATCH', 'blobs/uploads', target.origin);
    await world.copy(source, target, { reference: 'v2', tag: 'v2' });
    world.landed(target, good, 'v2');
    assert.equal(world.trace.count('PATCH', 'blobs/uploads', target.origin), before, 'in one PUT again');
  });

  row('D06 manifests that are far too much together are refused before memory is', async (world) => {
    const padding = ' '.repeat(4_000_000);
    const children = Array.from({ length: 20 }, (_, at) => {
      const image = sampleImage(`d06-${at}`, [16]);
      return imageOf(image.blobs, `${image.manifest.bytes.toString()}${padding}`);
    });
    const image = indexOf(
      children,
      children.map((child) => entryOf(child)),
    );
    const { source, target } = await world.pair(image);
    await world.copyFails('ManifestTooLarge', source, target);
  });

  row('D15 two indexes that share an image are written after it', async (world) => {
    const shared = sampleImage('d15-shared');
    const slow = sampleIndex([shared]);
    const image = indexOf(
      [slow],
      [entryOf(indexOf([shared], [entryOf(shared, { annotations: { a: 'b' } })])), entryOf(slow)],
    );
    const other = indexOf([shared], [entryOf(shared, { annotations: { a: 'b' } })]);
    const { source, target } = await world.pair({
      ...image,
      manifests: [other.manifest, ...image.manifests],
    });
    // The image itself comes last, whoever asked for it first.
    source.script({ method: 'GET', path: `/manifests/${shared.digest}` }, async (exchange) => {
      await new Promise((resolve) => setTimeout(resolve, 200));
      await exchange.send(await exchange.honestAnswer());
    });
    await world.copy(source, target);
    const written = world.trace
      .find('PUT', '/manifests/', target.origin)
      .map(({ path, status }) => [path.split('/').at(-1), status]);
    assert.equal(written[0]?.[0], shared.digest, JSON.stringify(written));
    assert.ok(
      written.every(([, status]) => status === 201),
      'nothing was refused',
    );
  });

  row('D18 a nested index without the wanted platform does not hide the image that has it', async (world) => {
    const [wanted, windows] = [sampleImage('d18-wanted'), sampleImage('d18-windows')];
    const nested = indexOf(
      [windows],
      [entryOf(windows, { platform: { os: 'windows', architecture: 'amd64' } })],
    );
    const image = indexOf(
      [wanted, nested],
      [entryOf(wanted, { platform: { os: 'linux', architecture: 'amd64' } }), entryOf(nested)],
    );
    const { source, target } = await world.pair(image, { target: { sparse: true } });
    await world.copy(source, target, { platforms: { mode: 'sparse', platforms: ['linux/amd64'] } });
    const there = target.repository(targetPath).manifests;
    assert.deepEqual([there.has(wanted.digest), there.has(windows.digest)], [true, false]);
    const only = indexOf([nested], [entryOf(nested)]);
    source.hold(sourcePath, only, 'v2');
    await world.copyFails('PlatformNotFound', source, target, {
      reference: 'v2',
      tag: 'v2',
      platforms: { mode: 'sparse', platforms: ['linux/amd64'] },
    });
  });

  row('D03 one tag that cannot be copied does not end a copy of all tags', async (world) => {
    const good = sampleImage('d03-good');
    const { source, target } = await world.pair(good);
    const old = imageOf([], { schemaVersion: 1, name: 'old', tag: 'a', fsLayers: [] });
    source.hold(sourcePath, old, 'zz-old');
    source.hold(sourcePath, sampleImage('d03-other'), 'a');
    const { code, out } = await imageferry(
      'copy',
      '--all-tags',
      '--json',
      `${source.host}/${sourcePath}`,
      `${target.host}/${targetPath}`,
    );
    assert.equal(code, 3, out);
    const lines = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { source?: string; failure?: { code: string } });
    assert.equal(lines.length, 3, out);
    assert.equal(
      lines.find(({ source: from }) => from?.endsWith(':zz-old'))?.failure?.code,
      'UnsupportedMediaType',
    );
    world.landed(target, good);
    assert.ok(target.repository(targetPath).tags.has('a'));
  });

  row('G10 a registry may take its time over a manifest of many parts', async (world) => {
    const image = sampleImage(
      'g10-many',
      Array.from({ length: 150 }, (_, at) => 16 + at),
    );
    const { source, target } = await world.pair(image);
    world.maxRequests = 2000;
    target.script({ method: 'PUT', path: '/manifests/' }, async (exchange) => {
      const honest = await exchange.honestAnswer();
      await new Promise((resolve) => setTimeout(resolve, 2500));
      await exchange.send(honest);
    });
    await world.copy(source, target);
    world.landed(target, image);
    assert.equal(
      world.trace.count('PUT', '/manifests/', target.origin),
      2,
      'by digest and by tag, once each',
    );
  });
});
