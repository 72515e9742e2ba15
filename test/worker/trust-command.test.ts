import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parseEnvelope } from '../../domain/trust/envelope.ts';
import { parseRoot, pinRoot, succeedRoot } from '../../domain/trust/trust-root.ts';
import { verifyEd25519 } from '../../infra/trust/ed25519.ts';

const folder = mkdtempSync(join(tmpdir(), 'imageferry-trust-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the command in the folder of keys; its exit code, and all that it said. */
function imageferry(line: string, env: NodeJS.ProcessEnv = {}): Promise<readonly [number | null, string]> {
  const program = join(import.meta.dirname, '../../worker/imageferry.ts');
  const child = spawn(process.execPath, [program, ...line.split(' ')], {
    cwd: folder,
    env: { PATH: '', ...env },
    timeout: 20_000,
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said += String(text)));
  return new Promise((resolve) => child.once('close', (code) => resolve([code, said])));
}

const read = (name: string): Buffer => readFileSync(join(folder, name));
const rootOf = (name: string) => parseRoot(parseEnvelope(read(name)));

before(async () => {
  await Promise.all(['a', 'b', 'c', 'sign', 'sign2'].map((name) => imageferry(`trust keygen ${name}`)));
});

test('a root keeps what it is not told to change: keys, and how many of them have to sign', async () => {
  const keys =
    '--root-key a.pub.pem --root-key b.pub.pem --bundle-key sign.pub.pem --bundle-key sign2.pub.pem';
  const thresholds = '--root-threshold 2 --bundle-threshold 2';
  const first = await imageferry(
    `trust root ${keys} ${thresholds} --sign a.pem --sign b.pem --out kept.1.json`,
  );
  assert.equal(first[0], 0, first[1]);
  const next = await imageferry(
    'trust root --previous kept.1.json --sign a.pem --sign b.pem --reset-sequence --out kept.2.json',
  );
  assert.equal(next[0], 0, next[1]);
  const [one, two] = [rootOf('kept.1.json'), rootOf('kept.2.json')];
  assert.deepEqual([two.root, two.bundle], [one.root, one.bundle]);
  assert.equal(succeedRoot(one, read('kept.2.json'), verifyEd25519).resetsSequence, true);
});

test('a root that lacks signatures says whose; each holder of a key adds one where that key is', async () => {
  const made = await imageferry(
    'trust root --root-key a.pub.pem --root-key b.pub.pem --root-threshold 2 --bundle-key sign.pub.pem --sign a.pem --out held.1.json',
  );
  assert.equal(made[0], 3, made[1]);
  assert.match(made[1], /1 signature.*\n.*lacks 1 signature of its own keys.*imageferry trust sign/);
  assert.throws(() => pinRoot(read('held.1.json'), verifyEd25519), /too few signatures/);
  const again = await imageferry('trust sign held.1.json --sign a.pem');
  assert.equal(again[0], 3, 'the same key counts once');
  const signed = await imageferry('trust sign held.1.json --sign b.pem');
  assert.equal(signed[0], 0, signed[1]);
  const first = pinRoot(read('held.1.json'), verifyEd25519);

  const keys = '--root-key b.pub.pem --root-key c.pub.pem';
  const rotated = await imageferry(
    `trust root --previous held.1.json ${keys} --sign b.pem --out held.2.json`,
  );
  assert.equal(rotated[0], 3, rotated[1]);
  assert.match(rotated[1], /lacks 1 signature of the keys of root 1 and 1 signature of its own keys/);
  for (const [key, code] of [
    ['c', 3],
    ['a', 0],
  ] as const)
    assert.equal(
      (await imageferry(`trust sign held.2.json --previous held.1.json --sign ${key}.pem`))[0],
      code,
    );
  assert.equal(succeedRoot(first, read('held.2.json'), verifyEd25519).version, 2);
});

for (const [what, line, said] of [
  [
    'a key that is no root key',
    'trust root --root-key a.pub.pem --bundle-key sign.pub.pem --sign sign.pem --out no.json',
    /InvalidRequest.*sign\.pem.*not a root key/,
  ],
  [
    'a key that is not there',
    'trust root --root-key a.pub.pem --bundle-key sign.pub.pem --sign nowhere.pem --out no.json',
    /InvalidRequest.*nowhere\.pem.*cannot be read: ENOENT/,
  ],
  [
    'a root that is not there',
    'trust pin nowhere.json --site plant-7 --state s',
    /InvalidRequest.*nowhere\.json.*ENOENT/,
  ],
  ['a folder in place of a root', 'trust pin . --site plant-7 --state s', /InvalidRequest.*EISDIR/],
  [
    'a root that is not there, to fetch by',
    'bundle fetch plant-7 1 --root nowhere.json --to d',
    /InvalidRequest.*nowhere\.json/,
  ],
  [
    'a receipt that is not there',
    'receipt apply nowhere.json --api http://127.0.0.1:9 --token-file nowhere',
    /InvalidRequest.*nowhere\.json/,
  ],
] as const) {
  test(`${what} is named, with exit code 1`, async () => {
    const [code, text] = await imageferry(line);
    assert.match(text, said);
    assert.equal(code, 1);
  });
}

test('a bucket that nobody named is asked for, and an address that is none is refused', async () => {
  await imageferry(
    'trust root --root-key a.pub.pem --bundle-key sign.pub.pem --sign a.pem --out bucket.1.json',
  );
  const fetch = 'bundle fetch plant-7 1 --root bucket.1.json --to d';
  const unset = await imageferry(fetch);
  assert.equal(unset[0], 1);
  assert.match(unset[1], /InvalidRequest.*S3_ENDPOINT.*S3_BUCKET.*--api/);
  const wrong = await imageferry(fetch, { S3_ENDPOINT: 'somewhere' });
  assert.equal(wrong[0], 1);
  assert.match(wrong[1], /InvalidRequest.*S3_ENDPOINT/);
});

test('pinning the same root for the same site once more shows the key for receipts again, and nothing else passes', async () => {
  for (const name of ['one', 'two'])
    await imageferry(
      `trust root --root-key a.pub.pem --bundle-key sign.pub.pem --sign a.pem ${name === 'two' ? '--reset-sequence ' : ''}--out ${name}.1.json`,
    );
  const first = await imageferry('trust pin one.1.json --site plant-7 --state site');
  assert.equal(first[0], 0, first[1]);
  assert.deepEqual(await imageferry('trust pin one.1.json --site plant-7 --state site'), first);
  for (const [root, site] of [
    ['one', 'plant-8'],
    ['two', 'plant-7'],
  ]) {
    const [code, text] = await imageferry(`trust pin ${root}.1.json --site ${site} --state site`);
    assert.equal(code, 1);
    assert.match(text, /AlreadyExists.*root 1 for plant-7/);
  }
});

for (const [what, line] of [
  ['a key', 'trust keygen /proc/nothing/key'],
  [
    'a root',
    'trust root --root-key a.pub.pem --bundle-key sign.pub.pem --sign a.pem --out /proc/nothing/root.json',
  ],
  ['a site’s state', 'trust pin kept.1.json --site plant-7 --state /proc/nothing/state'],
] as const) {
  test(`${what} that is to lie where no folder can be made is refused at once`, async () => {
    const [code, said] = await imageferry(line);
    assert.equal(code, 1, said);
    assert.match(said, /InvalidRequest: .*\/proc\/nothing/);
  });
}
