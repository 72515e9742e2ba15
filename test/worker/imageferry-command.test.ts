import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parseRepositoryPath } from '../../domain/names/repository-path.ts';
import { bundleCommand } from '../../infra/local/bundle-command.ts';
import { RegistryClients } from '../../infra/registry/registry-client.ts';
import { RegistryStore } from '../../infra/registry/registry-store.ts';
import { startRegistryProcess, type RegistryProcess } from '../support/registry-process.ts';
import { pushSample, randomBlob, sampleImage } from '../support/sample-image.ts';

const credential = { username: 'alice', password: 'secret' };
let upstream: RegistryProcess;
let edge: RegistryProcess;
let home: string;
/** As it is packaged: one file, with nothing of the tree beside it. */
let command: string;

before(async () => {
  [upstream, edge] = await Promise.all([startRegistryProcess(), startRegistryProcess({ credential })]);
  home = mkdtempSync(join(tmpdir(), 'imageferry-home-'));
  await bundleCommand(join(home, 'command'));
  command = join(home, 'command', 'imageferry.cjs');
  const auth = Buffer.from('alice:secret').toString('base64');
  writeFileSync(join(home, 'config.json'), JSON.stringify({ auths: { [edge.domain]: { auth } } }));
  const clients = new RegistryClients();
  const source = { domain: upstream.domain, provider: 'other' };
  const store = new RegistryStore(clients.of(source), parseRepositoryPath('team/app'), 'destination');
  for (const tag of ['v1', 'v2']) {
    const { blobs, manifest } = sampleImage([randomBlob(300_000)]);
    await pushSample(store, blobs, [manifest], tag);
  }
  await clients.close();
});
after(async () => {
  await Promise.all([upstream.stop(), edge.stop()]);
  rmSync(home, { recursive: true, force: true });
});

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function imageferry(args: readonly string[]): Promise<Ended> {
  const env = { ...process.env, DOCKER_CONFIG: home, XDG_STATE_HOME: home, XDG_CACHE_HOME: home };
  const child = spawn(process.execPath, [command, ...args], { env, timeout: 60_000 });
  let [out, err] = ['', ''];
  child.stdout.on('data', (text) => (out += String(text)));
  child.stderr.on('data', (text) => (err += String(text)));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, out, err })));
}

test('it tells its version, what options mean and its exit codes; wrong usage is one short line', async () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly version: string };
  assert.deepEqual(await imageferry(['--version']), { code: 0, out: `${version}\n`, err: '' });
  const help = await imageferry(['copy', '--help']);
  assert.ok(!/default: (false|\[\])/.test(help.out), help.out);
  assert.match(help.out, /rewrite; default:\s+rewrite[\s\S]*may be repeated/);
  assert.match((await imageferry(['--help'])).out, /Exit codes: 0 done/);
  const wrong = await imageferry(['copi']);
  assert.deepEqual([wrong.code, wrong.err.trimEnd().split('\n').length <= 3], [2, true], wrong.err);
  const untagged = await imageferry(['inspect', `${upstream.domain}/team/app`]);
  assert.match(untagged.err, /name a tag or a digest/);
});

test('copy brings an image with docker login’s credential, says unchanged the second time, and verify finds it whole', async () => {
  const first = await imageferry(['copy', `${upstream.domain}/team/app:v1`, `${edge.domain}/mirror/app`]);
  assert.equal(first.code, 0, first.err);
  assert.match(first.out, /301kB moved/);
  const again = await imageferry(['copy', `${upstream.domain}/team/app:v1`, `${edge.domain}/mirror/app`]);
  assert.match(again.out, /unchanged/);
  const verified = await imageferry(['verify', '--deep', `${edge.domain}/mirror/app:v1`]);
  assert.match(verified.out, /whole, every byte read/);
});

test('copy --all-tags prints one JSON object per tag', async () => {
  const { code, out } = await imageferry([
    'copy',
    '--all-tags',
    '--json',
    `${upstream.domain}/team/app`,
    `${edge.domain}/mirror/all`,
  ]);
  assert.equal(code, 0);
  const sources = out
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { source: string }).source);
  assert.deepEqual(sources.sort(), [`${upstream.domain}/team/app:v1`, `${upstream.domain}/team/app:v2`]);
});

test('inspect tells platform and layers', async () => {
  const { code, out } = await imageferry(['inspect', '--json', `${upstream.domain}/team/app:v1`]);
  assert.equal(code, 0);
  const facts = JSON.parse(out) as { architecture: string; layers: unknown[] };
  assert.equal(facts.architecture, 'amd64');
  assert.equal(facts.layers.length, 1);
});

test('exit codes tell what failed', async () => {
  const rows: readonly (readonly [number, RegExp, string[]])[] = [
    [1, /TagNotFound/, ['copy', `${upstream.domain}/team/app:none`, `${edge.domain}/mirror/app`]],
    [1, /Unauthorized/, ['inspect', '--authfile', '/nowhere', `${edge.domain}/mirror/app:v1`]],
    [1, /InvalidDomain|RegistryNotDeclared/, ['inspect', 'nginx']],
    [75, /ConnectionRefused/, ['inspect', '127.0.0.1:1/a/b:c']],
    [
      1,
      /InvalidRequest.*no folder can be made/,
      ['copy', `${upstream.domain}/team/app:v1`, 'oci:/proc/nothing/here'],
    ],
    [2, /unknown command/, ['fly']],
  ];
  for (const [code, words, args] of rows) {
    const ended = await imageferry(args);
    assert.equal(ended.code, code, args.join(' '));
    assert.match(`${ended.err}${ended.out}`, words);
  }
});
