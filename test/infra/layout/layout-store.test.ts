import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../../domain/failure.ts';
import { parseListing } from '../../../domain/image/image-layout.ts';
import { digestHex, type Digest } from '../../../domain/names/digest.ts';
import { parseTag } from '../../../domain/names/tag.ts';
import type { CopyContext } from '../../../infra/copy/copy-graph.ts';
import { copyImage } from '../../../infra/copy/copy-image.ts';
import { ManifestCache } from '../../../infra/copy/manifest-cache.ts';
import { ProvenParts } from '../../../infra/copy/proven-parts.ts';
import { SingleFlight } from '../../../infra/copy/single-flight.ts';
import { verifyGraph } from '../../../infra/copy/verify-graph.ts';
import { LayoutFolder } from '../../../infra/layout/layout-folder.ts';
import { LayoutStore } from '../../../infra/layout/layout-store.ts';
import { runOciTool, runSkopeo } from '../../support/oci-tools.ts';
import { startRegistryProcess, type RegistryProcess } from '../../support/registry-process.ts';
import {
  pushSample,
  randomBlob,
  sampleBlob,
  sampleImage,
  sampleIndex,
  sampleManifest,
} from '../../support/sample-image.ts';
import { TestEngine } from '../copy/real-registries.ts';

const command = join(import.meta.dirname, '../../../worker/imageferry.ts');
let upstream: RegistryProcess;
let edge: RegistryProcess;
let own: TestEngine;
let home: string;

before(async () => {
  [upstream, edge] = await Promise.all([startRegistryProcess(), startRegistryProcess()]);
  own = new TestEngine();
  home = mkdtempSync(join(tmpdir(), 'imageferry-layouts-'));
  const store = own.store(own.endpoint(upstream.domain, 'team/app'));
  const manifests = [amd.manifest, arm.manifest, index];
  await pushSample(store, [...amd.blobs, ...arm.blobs], manifests, 'v1');
  await pushSample(store, [], [signature]);
  await pushSample(store, arm.blobs, [arm.manifest], 'arm');
});
after(async () => {
  await own.close();
  await Promise.all([upstream.stop(), edge.stop()]);
  rmSync(home, { recursive: true, force: true });
});

const shared = randomBlob(3_000_000);
const amd = sampleImage([shared, sampleBlob(new Uint8Array())]);
const arm = sampleImage([shared, randomBlob(500)], { os: 'linux', architecture: 'arm64' });
const index = sampleIndex([
  { manifest: amd.manifest, platform: 'linux/amd64' },
  { manifest: arm.manifest, platform: 'linux/arm64' },
]);
const signature = sampleManifest({
  schemaVersion: 2,
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  artifactType: 'application/vnd.example.signature',
  config: amd.blobs[0]?.descriptor,
  layers: [],
  subject: index.descriptor,
});

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function imageferry(...args: readonly string[]): Promise<Ended> {
  const env = { ...process.env, DOCKER_CONFIG: home, XDG_STATE_HOME: home };
  const child = spawn(process.execPath, [command, ...args], { env });
  let [out, err] = ['', ''];
  child.stdout.on('data', (text) => (out += String(text)));
  child.stderr.on('data', (text) => (err += String(text)));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, out, err })));
}

const layoutAt = (name: string): LayoutStore => new LayoutStore(new LayoutFolder(join(home, name)));
const named = (name: string): readonly (string | undefined)[] =>
  parseListing(readFileSync(join(home, name, 'index.json'))).entries.map((entry) => entry.name);
const context = (): CopyContext => ({
  flights: new SingleFlight(),
  proven: new ProvenParts(),
  manifests: new ManifestCache(),
  limit: (task) => task(),
});

test('an image goes into a layout directory, comes back out, and loses nothing on the way', async () => {
  const [from, to] = [`${upstream.domain}/team/app`, `${edge.domain}/back/app`];
  const out = await imageferry('copy', `${from}:v1`, `oci:${home}/whole`);
  assert.equal(out.code, 0, out.err);
  assert.match(out.out, /1 attachments/);
  assert.deepEqual(new Set(named('whole')), new Set(['v1', undefined]));
  assert.deepEqual(readdirSync(join(home, 'whole')).sort(), ['blobs', 'index.json', 'oci-layout']);
  assert.match((await imageferry('copy', `${from}:v1`, `oci:${home}/whole`)).out, /unchanged/);
  assert.match((await imageferry('verify', '--deep', `oci:${home}/whole:v1`)).out, /whole, every byte read/);
  const facts = JSON.parse((await imageferry('inspect', '--json', `oci:${home}/whole:v1`)).out) as {
    readonly digest: string;
    readonly platforms: readonly string[];
    readonly attachments: readonly { readonly type: string }[];
  };
  assert.equal(facts.digest, index.descriptor.digest);
  assert.deepEqual(facts.platforms, ['linux/amd64', 'linux/arm64']);
  assert.deepEqual(
    facts.attachments.map(({ type }) => type),
    ['application/vnd.example.signature'],
  );

  const back = await imageferry('copy', `oci:${home}/whole:v1`, to);
  assert.equal(back.code, 0, back.err);
  const target = own.endpoint(edge.domain, 'back/app');
  await own.engine.verifyGraph(target, index.descriptor.digest, { deep: true });
  const attached = await own.store(target).referrers(index.descriptor.digest);
  assert.deepEqual(
    attached.map(({ digest }) => digest),
    [signature.descriptor.digest],
  );
});

test('all tags go into one layout at once, and a second process adds to what the first wrote', async () => {
  const from = `${upstream.domain}/team/app`;
  const runs = await Promise.all([
    imageferry('copy', '--all-tags', from, `oci:${home}/many`),
    imageferry('copy', `${from}:v1`, `oci:${home}/many:other`),
  ]);
  for (const { code, out, err } of runs) assert.equal(code, 0, out + err);
  assert.deepEqual(
    named('many')
      .filter((name) => name !== undefined && !name.startsWith('sha256-'))
      .toSorted((one = '', other = '') => one.localeCompare(other)),
    ['arm', 'other', 'v1'],
  );
  for (const tag of ['arm', 'other', 'v1'])
    assert.equal((await imageferry('verify', `oci:${home}/many:${tag}`)).code, 0, tag);
});

test('without a tag the only image is meant; of several, one has to be named', async () => {
  const by = `${upstream.domain}/team/app@${arm.manifest.descriptor.digest}`;
  assert.equal((await imageferry('copy', by, `oci:${home}/one`)).code, 0);
  const found = await imageferry('inspect', '--json', `oci:${home}/one`);
  assert.match(found.out, new RegExp(arm.manifest.descriptor.digest));
  const many = await imageferry('inspect', `oci:${home}/many`);
  assert.equal(many.code, 1);
  assert.match(many.err, /InvalidRequest.*which of: .*arm/);
  const none = await imageferry('inspect', `oci:${home}/nowhere:v1`);
  assert.match(none.err, /TagNotFound/);
  assert.equal(existsSync(join(home, 'nowhere')), false, 'reading makes nothing');
});

test('skopeo, crane and oras read what was written, and what they write is read', async (t) => {
  const from = `${upstream.domain}/team/app`;
  assert.equal((await imageferry('copy', '--no-referrers', `${from}:v1`, `oci:${home}/read`)).code, 0);
  const [read, byOras, bySkopeo] = ['read', 'by-oras', 'by-skopeo'].map((name) => `${home}/${name}:v1`);
  assert.ok(read !== undefined && byOras !== undefined);
  await runOciTool('oras', 'cp', '--from-oci-layout', read, '--to-oci-layout', byOras);
  await runOciTool('crane', 'push', '--insecure', '--index', `${home}/read`, `${edge.domain}/by/crane:all`);
  const hasSkopeo = runSkopeo('copy', '-q', '--all', '--preserve-digests', `oci:${read}`, `oci:${bySkopeo}`);
  if (!hasSkopeo) t.diagnostic('skopeo is not installed here');
  for (const name of hasSkopeo ? ['by-oras', 'by-skopeo'] : ['by-oras']) {
    const seen = await imageferry('verify', '--deep', '--json', `oci:${home}/${name}:v1`);
    assert.match(seen.out, new RegExp(index.descriptor.digest), `${name}: ${seen.err}`);
  }
});

test('killed in the middle of a large layer, the next run goes on where the file ends', async () => {
  const layer = randomBlob(40_000_000);
  const { blobs, manifest } = sampleImage([layer]);
  await pushSample(own.store(own.endpoint(upstream.domain, 'team/big')), blobs, [manifest], 'v1');
  const args = [`${upstream.domain}/team/big:v1`, `oci:${home}/killed`];
  const env = { ...process.env, DOCKER_CONFIG: home, XDG_STATE_HOME: home };
  const child = spawn(process.execPath, [command, 'copy', '--bandwidth', '20M', ...args], {
    env,
    stdio: 'ignore',
  });
  while (partBytes('killed') < 10_000_000) await sleep(20);
  child.kill('SIGKILL');
  await new Promise((resolve) => child.once('close', resolve));
  const kept = partBytes('killed');
  assert.equal(existsSync(join(home, 'killed/index.json')), false, 'nothing is named before it is whole');
  const again = await imageferry('copy', '--json', ...args);
  assert.equal(again.code, 0, again.err);
  const { targets } = JSON.parse(again.out) as { targets: { report: { bytesMoved: number } }[] };
  const moved = targets[0]?.report.bytesMoved ?? 0;
  assert.ok(moved <= 40_000_000 - kept + 10_000, `${moved} moved, ${kept} were there`);
  await verifyGraph(layoutAt('killed'), manifest.descriptor.digest, { deep: true });
  assert.equal(existsSync(join(home, 'killed/.imageferry')), false);
});

function partBytes(name: string): number {
  const work = join(home, name, '.imageferry');
  if (!existsSync(work)) return 0;
  const parts = readdirSync(work).filter((file) => file.endsWith('.part'));
  return Math.max(0, ...parts.map((file) => statSync(join(work, file)).size));
}

test('a part that the disk damaged is found out before it is named, and read again', async () => {
  const { blobs, manifest } = sampleImage([randomBlob(2_000_000)]);
  const [config, layer] = blobs;
  assert.ok(config !== undefined && layer !== undefined);
  const source = own.endpoint(upstream.domain, 'team/torn');
  await pushSample(own.store(source), blobs, [manifest], 'v1');
  const store = layoutAt('torn');
  const upload = await store.openUpload(layer.descriptor);
  await upload.write(Buffer.alloc(1_000_000));
  await upload.abandon(true);
  const root = await own.root(source);
  await copyImage(own.store(source), store, root, context(), { tag: parseTag('v1') });
  await verifyGraph(store, root.digest, { deep: true });
});

test('a blob or manifest that is missing, cut off or changed is named, never copied', async () => {
  const store = layoutAt('hurt');
  await pushSample(store, arm.blobs, [arm.manifest], 'v1');
  const into = own.store(own.endpoint(edge.domain, 'hurt/app'));
  const copied = (): Promise<unknown> =>
    copyImage(store, into, arm.manifest.descriptor, context(), { tag: parseTag('v1') });
  const file = (digest: Digest): string => join(home, 'hurt/blobs/sha256', digestHex(digest));
  const whole = readFileSync(file(shared.descriptor.digest));
  const rows: readonly (readonly [string, () => void])[] = [
    ['SizeMismatch', () => writeFileSync(file(shared.descriptor.digest), whole.subarray(1))],
    ['DigestMismatch', () => writeFileSync(file(shared.descriptor.digest), Buffer.alloc(whole.length))],
    ['SourceIncomplete', () => rmSync(file(shared.descriptor.digest))],
    ['DigestMismatch', () => writeFileSync(file(arm.manifest.descriptor.digest), '{}')],
    ['ManifestNotFound', () => rmSync(file(arm.manifest.descriptor.digest))],
  ];
  for (const [code, hurt] of rows) {
    hurt();
    await assert.rejects(copied(), (error) => error instanceof Failure && error.code === code, code);
  }
  assert.equal(await into.resolve(parseTag('v1')), undefined);
  // The other way round, it is mended: what is damaged counts as not there.
  await copyImage(
    own.store(own.endpoint(upstream.domain, 'team/app')),
    store,
    arm.manifest.descriptor,
    context(),
    {
      tag: parseTag('v1'),
      recheck: true,
    },
  );
  await verifyGraph(store, arm.manifest.descriptor.digest, { deep: true });
});

test('what other tools wrote into index.json stays there', async () => {
  const store = layoutAt('kept');
  await pushSample(store, arm.blobs, [arm.manifest], 'v1');
  const path = join(home, 'kept/index.json');
  const body = JSON.parse(readFileSync(path, 'utf8')) as { manifests: object[] };
  writeFileSync(path, JSON.stringify({ ...body, annotations: { who: 'other' } }));
  await store.pushManifest(arm.manifest, parseTag('v2'));
  assert.equal(
    (JSON.parse(readFileSync(path, 'utf8')) as { annotations: { who: string } }).annotations.who,
    'other',
  );
  assert.deepEqual(new Set(named('kept')), new Set(['v1', 'v2']));
  assert.equal(await store.removeTag(parseTag('v1')), true);
  assert.deepEqual(await store.listTags(), ['v2']);
});
