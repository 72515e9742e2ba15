import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parseRegistryDomain } from '../../domain/names/registry-domain.ts';
import type { Credential } from '../../infra/copy/engine.ts';
import { dockerCredential } from '../../infra/registry/docker-config.ts';
import { rejection } from '../support/refusal.ts';

const folder = mkdtempSync(join(tmpdir(), 'imageferry-docker-config-'));
after(() => rmSync(folder, { recursive: true }));

const auth = (text: string): string => Buffer.from(text).toString('base64');
function credentialOf(domain: string, config: unknown): Promise<Credential | undefined> {
  const path = join(folder, 'config.json');
  writeFileSync(path, typeof config === 'string' ? config : JSON.stringify(config));
  return dockerCredential(path, parseRegistryDomain(domain));
}

test('B18 only the exact host of a docker config counts', async () => {
  const auths = {
    'r.example': { auth: auth('a:1') },
    'r.example:5000': { auth: auth('b:2') },
    'https://index.docker.io/v1/': { auth: auth('c:3') },
    example: { auth: auth('d:4') },
  };
  const table: readonly (readonly [domain: string, username: string | undefined])[] = [
    ['r.example', 'a'],
    ['r.example:5000', 'b'],
    ['docker.io', 'c'],
    ['r.example:5001', undefined],
    ['sub.r.example', undefined],
    ['xr.example', undefined],
    ['index.docker.io.example', undefined],
  ];
  for (const [domain, username] of table)
    assert.equal((await credentialOf(domain, { auths }))?.username, username, domain);
});

test('B18 an entry that contradicts itself is refused, without its secret', async () => {
  const contradiction = {
    auths: { 'r.example': { auth: auth('a:canary-1'), username: 'a', password: 'canary-2' } },
  };
  const failure = await rejection('InvalidCredential', credentialOf('r.example', contradiction));
  assert.ok(!/canary|Y2FuYXJ5/.test(failure.message));
  await rejection(
    'InvalidCredential',
    credentialOf('r.example', { auths: { 'r.example': { auth: auth('no colon') } } }),
  );
  await rejection('InvalidCredential', credentialOf('r.example', '{"auths":{"r.example":{}},"auths":{}}'));
  await rejection('InvalidCredential', credentialOf('r.example', { credsStore: '../../bin/sh', auths: {} }));
});

const damaged: readonly (readonly [what: string, entry: object])[] = [
  ['another username than in auth', { auth: auth('a:canary'), username: 'b' }],
  ['another password than in auth', { auth: auth('a:canary'), password: 'canary-2' }],
  ['auth that is not base64', { auth: `${auth('a:canary')}!!` }],
  ['auth with a line break in it', { auth: auth('a:can\nary') }],
  ['auth that is not UTF-8', { auth: Buffer.from([0x61, 0x3a, 0xff, 0xfe]).toString('base64') }],
  ['auth without a user', { auth: auth(':canary') }],
];
for (const [what, entry] of damaged) {
  test(`B18 ${what} is refused`, async () => {
    const refused = credentialOf('r.example', { auths: { 'r.example': entry } });
    assert.ok(!(await rejection('InvalidCredential', refused)).message.includes('canary'));
    assert.equal(await credentialOf('other.example', { auths: { 'r.example': entry } }), undefined);
  });
}

test('B18 a file that is no object is refused, and not taken for an empty one', async () => {
  await rejection('InvalidCredential', credentialOf('r.example', '[]'));
});

test('B18 a password may hold colons, and an entry may say everything twice the same', async () => {
  const entry = { auth: auth('a:b:c'), username: 'a', password: 'b:c' };
  assert.deepEqual(await credentialOf('r.example', { auths: { 'r.example': entry } }), {
    username: 'a',
    password: 'b:c',
  });
  assert.equal(await credentialOf('r.example', { auths: {} }), undefined);
});
