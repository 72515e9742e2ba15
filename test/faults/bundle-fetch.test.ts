import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { serve, type HttpBindings, type ServerType } from '@hono/node-server';
import { parseSiteName } from '../../domain/names/kubernetes-name.ts';
import { BundleDesk } from '../../infra/bundle/bundle-desk.ts';
import { HubApi } from '../../infra/bundle/hub-api.ts';
import { SiteMail } from '../../infra/bundle/site-mail.ts';
import { BundleShelf } from '../../infra/storage/bundle-shelf.ts';
import { base, inProcessApi } from '../support/api-in-process.ts';
import { pushSample, randomBlob, sampleImage } from '../support/sample-image.ts';
import { rejection } from '../support/refusal.ts';
import { StageScene } from '../support/stage-scene.ts';

const folder = mkdtempSync(join(tmpdir(), 'imageferry-carrier-'));
const command = join(import.meta.dirname, '../../worker/imageferry.ts');
const layerBytes = 6_000_000;
const big = layerBytes / 2;

/** What the way from the API does to a part of the archive; `size` is what was asked for. */
type Way = (body: AsyncIterable<Uint8Array>, size: number, hangUp: () => void) => AsyncIterable<Uint8Array>;
const plain: Way = (body) => body;

let [scene, server] = [] as unknown as [StageScene, ServerType];
let api = '';
let way = plain;
let headers: (given: Headers) => void = () => undefined;
/** Ranges that were asked for. */
let asked: { readonly from: number; readonly size: number }[] = [];
/** Bytes of the archive that were sent. */
let sent = 0;

before(async () => {
  scene = await StageScene.open();
  await scene.site('plant-7');
  const image = sampleImage([randomBlob(layerBytes), randomBlob(70_000)]);
  await pushSample(scene.store('apps/app'), image.blobs, [image.manifest], 'v1');
  await scene.repository('app', { sites: ['plant-7'] });
  await scene.stage({ site: 'plant-7', kind: 'full' });
  const shelf = new BundleShelf(scene.s3.store);
  const gateway = { startStage: () => assert.fail('nobody stages') };
  const mail = new SiteMail(shelf, scene.cluster, () => new Date());
  const { app } = inProcessApi({ bundles: { desk: new BundleDesk(shelf), mail, gateway } });
  const fetched = async (request: Request, { outgoing }: HttpBindings): Promise<Response> =>
    onItsWay(await app.fetch(request), request, () => outgoing.destroy());
  server = serve({ fetch: (request, bindings) => fetched(request, bindings as HttpBindings), port: 0 });
  if (!server.listening) await new Promise((resolve) => server.once('listening', resolve));
  api = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  writeFileSync(join(folder, 'root.1.json'), scene.rootBytes);
  writeFileSync(join(folder, 'token'), 'admin-token\n');
});
beforeEach(() => {
  [way, headers, asked, sent] = [plain, () => undefined, [], 0];
});
after(async () => {
  await new Promise((resolve) => server.close(resolve));
  await scene.close();
  rmSync(folder, { recursive: true, force: true });
});

function onItsWay(answer: Response, request: Request, hangUp: () => void): Response {
  const [, from = '', to = ''] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.get('range') ?? '') ?? [];
  if (from === '' || answer.body === null) return answer;
  const size = Number(to) - Number(from) + 1;
  asked.push({ from: Number(from), size });
  const changed = new Headers(answer.headers);
  headers(changed);
  const body = ReadableStream.from(counted(way(answer.body, size, hangUp))) as ReadableStream<
    Uint8Array<ArrayBuffer>
  >;
  return new Response(body, { status: answer.status, headers: changed });
}

async function* counted(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  for await (const chunk of body) {
    sent += chunk.byteLength;
    yield chunk;
  }
}

/** Sends so many bytes of a part and then does something; of the first `times` parts that `hits` is true of. */
function atByte(
  many: number,
  then: (rest: Uint8Array, hangUp: () => void) => Promise<Uint8Array> | Uint8Array,
  hits: (size: number) => boolean,
  times = 1,
): Way {
  let left = times;
  return async function* broken(body, size, hangUp) {
    const hit = hits(size) && left > 0;
    if (hit) left -= 1;
    let at = 0;
    for await (const chunk of body) {
      const here = many - at;
      if (hit && here >= 0 && here < chunk.byteLength) {
        yield chunk.subarray(0, here);
        yield await then(chunk.subarray(here), hangUp);
      } else yield chunk;
      at += chunk.byteLength;
    }
  };
}

const never = new Promise<never>(() => {});
const hang = (): Promise<never> => never;
const cut = (_rest: Uint8Array, hangUp: () => void): Promise<never> => {
  hangUp();
  return never;
};
const flip = (rest: Uint8Array): Uint8Array => rest.map((byte, index) => (index === 0 ? byte ^ 1 : byte));
const isLayer = (size: number): boolean => size > big;

/** True once so many milliseconds have gone by: what is still under way then hangs. */
function overdue(ms: number): () => boolean {
  const start = performance.now();
  return () => performance.now() - start > ms;
}

interface Ended {
  readonly code: number | null;
  readonly words: string;
}

/** Fetches with the command, as a carrier does. `whenAt` kills it as soon as that is true. */
async function fetchTo(to: string, killWhen?: () => boolean): Promise<Ended> {
  const options = `--root root.1.json --api ${api} --token-file token --to ${to}`.split(' ');
  const child = spawn(process.execPath, [command, 'bundle', 'fetch', 'plant-7', '1', ...options], {
    cwd: folder,
  });
  let words = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (words += chunk.toString('utf8')));
  const watch = setInterval(() => killWhen?.() === true && child.kill('SIGKILL'), 5);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  clearInterval(watch);
  return { code, words };
}

async function arrives(to: string): Promise<void> {
  const { code, words } = await fetchTo(to);
  assert.equal(code, 0, words);
  assert.ok(!existsSync(join(folder, `${to}.partial`)));
  assert.deepEqual(filesOf(to), filesOf(await unpacked()));
}

/** The archive as `tar` unpacks it: another reader than ours. */
async function unpacked(): Promise<string> {
  const to = 'unpacked';
  if (existsSync(join(folder, to))) return to;
  const authorization = { authorization: 'Bearer admin-token' };
  const answer = await fetch(`${api}${base}/sites/plant-7/bundles/1/archive`, { headers: authorization });
  writeFileSync(join(folder, 'bundle.tar'), Buffer.from(await answer.arrayBuffer()));
  execFileSync('mkdir', [join(folder, to)]);
  execFileSync('tar', ['-xf', join(folder, 'bundle.tar'), '-C', join(folder, to)]);
  return to;
}

function filesOf(name: string): ReadonlyMap<string, string> {
  const top = join(folder, name);
  const files = readdirSync(top, { recursive: true, withFileTypes: true }).filter((each) => each.isFile());
  const paths = files.map((file) => join(file.parentPath, file.name)).sort();
  return new Map(paths.map((path) => [path.slice(top.length), readFileSync(path).toString('base64')]));
}

const partOf = (to: string): string => {
  const blobs = join(folder, `${to}.partial/blobs/sha256`);
  const names = existsSync(blobs) ? readdirSync(blobs).filter((name) => name.endsWith('.part')) : [];
  return names.length === 1 ? join(blobs, names[0] ?? '') : '';
};
const partSize = (to: string): number => (partOf(to) === '' ? 0 : statSync(partOf(to)).size);

test('over the API a bundle arrives as the directory that tar unpacks from its archive', async () => {
  await arrives('plain');
  const total = statSync(join(folder, 'bundle.tar')).size;
  assert.ok(sent <= total, 'no byte is sent twice');
});

test('a line that is cut in a layer goes on at the next byte', async () => {
  way = atByte(1_000_000, cut, isLayer, 3);
  await arrives('cut');
  const layers = asked.filter(({ size }) => size > 70_000);
  assert.equal(layers.length, 4);
  for (const [at, { from, size }] of layers.entries()) {
    assert.equal(from + size, (layers[0]?.from ?? 0) + layerBytes);
    assert.ok(at === 0 || from > (layers[at - 1]?.from ?? 0));
  }
});

test('a line that is cut in the signed manifest is tried again', async () => {
  way = atByte(100, cut, (size) => size > 512 && size < 10_000, 2);
  await arrives('cut-manifest');
});

test('killed in the middle of a layer, the next run fetches only the rest', async () => {
  way = atByte(big, hang, isLayer);
  const killed = await fetchTo('killed', () => partSize('killed') >= big);
  assert.equal(killed.code, null);
  assert.ok(!existsSync(join(folder, 'killed')), 'no directory under the final name');
  [way, asked] = [plain, []];
  await arrives('killed');
  assert.deepEqual(
    asked.filter(({ size }) => size > 70_000).map(({ size }) => size),
    [layerBytes - big],
  );
});

test('what broke on the carrier’s disk between two runs is found, and the run after that has it', async () => {
  way = atByte(big, hang, isLayer);
  await fetchTo('disk', () => partSize('disk') >= big);
  writeFileSync(partOf('disk'), flip(readFileSync(partOf('disk'))));
  way = plain;
  const found = await fetchTo('disk');
  assert.deepEqual([found.code, /DigestMismatch/.test(found.words)], [1, true], found.words);
  assert.ok(!existsSync(join(folder, 'disk')));
  await arrives('disk');
});

test('what a killed run or a fetch of another bundle left is no part of the bundle', async () => {
  way = atByte(big, hang, isLayer);
  await fetchTo('leftovers', () => partSize('leftovers') >= big);
  way = plain;
  const partial = join(folder, 'leftovers.partial');
  mkdirSync(join(partial, 'roots'));
  const left = [
    '.index.json.4711-1.tmp',
    `blobs/sha256/${'a'.repeat(64)}`,
    `blobs/sha256/${'b'.repeat(64)}.part`,
  ];
  for (const name of [...left, 'roots/root.9.json']) writeFileSync(join(partial, name), 'left');
  await arrives('leftovers');
});

test('a hub that says nothing is a line that broke off, and not a person who interrupts', async () => {
  const lines: Socket[] = [];
  const mute = createServer((line) => lines.push(line)).listen(0, '127.0.0.1');
  await once(mute, 'listening');
  const { port } = mute.address() as AddressInfo;
  const hub = new HubApi(`http://127.0.0.1:${port}`, 'token', 50);
  const parts = hub.archive(parseSiteName('plant-7'), 1, new AbortController().signal)(0, 512);
  await rejection('NetworkError', parts[Symbol.asyncIterator]().next());
  for (const line of lines) line.destroy();
  mute.close();
});

test('a place where no folder can be made is refused at once', async () => {
  const { code, words } = await fetchTo('/proc/nothing/here', overdue(20_000));
  assert.equal(code, 1, words);
  assert.match(words, /InvalidRequest.*\/proc\/nothing\/here\.partial/);
});

const refused: readonly (readonly [string, () => void, string])[] = [
  ['a flipped byte in a layer', () => (way = atByte(2_000_000, flip, isLayer)), 'DigestMismatch'],
  [
    'a flipped byte in the signed manifest',
    () => (way = atByte(60, flip, (size) => size > 512 && size < 10_000)),
    'SignatureInvalid',
  ],
  ['a flipped byte in a header', () => (way = atByte(3, flip, (size) => size === 512)), 'ArchiveInvalid'],
  [
    'an archive that is another one from part to part',
    () => (headers = (given) => given.set('etag', `"${asked.length}"`)),
    'Equivocation',
  ],
  [
    'an answer that begins elsewhere',
    () => (headers = (given) => given.set('content-range', 'bytes 7-9/10')),
    'RangeRefused',
  ],
  ['a token that is none', () => writeFileSync(join(folder, 'token'), 'secret-of-mine'), 'Unauthenticated'],
];
for (const [[what, arrange, code], at] of refused.map((each, index) => [each, index] as const)) {
  test(`${what} is refused as ${code}, and nothing has the final name`, async () => {
    arrange();
    const to = `refused-${at}`;
    const { code: exit, words } = await fetchTo(to);
    writeFileSync(join(folder, 'token'), 'admin-token');
    assert.match(words, new RegExp(code));
    assert.doesNotMatch(words, /admin-token|secret-of-mine/);
    assert.equal(exit, 1, words);
    assert.ok(!existsSync(join(folder, to)));
    [way, headers] = [plain, () => undefined];
    await arrives(to);
  });
}
