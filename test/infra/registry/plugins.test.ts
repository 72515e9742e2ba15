import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { providerAdapter } from '../../../infra/registry/adapters/providers.ts';
import type { VerifyContext } from '../../../infra/registry/adapters/provider.ts';
import { HttpAnswer } from '../../../infra/registry/http-answer.ts';
import { loadPlugins } from '../../../infra/registry/plugins/load-plugins.ts';
import { pluginAdapter } from '../../../infra/registry/plugins/plugin-adapter.ts';
import type { PluginContext, PluginProvider } from '../../../infra/registry/plugins/contract.ts';
import type { VerifyOutcome } from '../../../infra/copy/engine.ts';
import { rejection } from '../../support/refusal.ts';

const folder = mkdtempSync(join(tmpdir(), 'imageferry-plugins-'));
after(() => rmSync(folder, { recursive: true, force: true }));
let count = 0;

function module(text: string): string {
  const path = join(folder, `plugin-${(count += 1)}.mjs`);
  writeFileSync(path, text);
  return path;
}

const good = (name: string): string =>
  `export const imageferryPlugin = 1; export const providers = [{ name: '${name}', verify: async () => ({ capabilities: [] }) }];`;

test('plug-ins are loaded by path, and their names come after the built-in ones', async () => {
  const names = await loadPlugins(`${module(good('one'))}, ${module(good('two'))},`);
  assert.deepEqual(names, ['harbor', 'dockerhub', 'aliyun', 'other', 'one', 'two']);
  assert.equal(providerAdapter('one').name, 'one');
  assert.deepEqual(await loadPlugins(undefined), ['harbor', 'dockerhub', 'aliyun', 'other']);
});

const wrong: Readonly<Record<string, readonly [string, RegExp]>> = {
  'another contract': ['export const imageferryPlugin = 2;', /contract 2, this is contract 1/],
  'no contract': ['export const providers = [];', /contract undefined/],
  'no providers': ['export const imageferryPlugin = 1;', /exports no providers/],
  'a provider without verify': [
    `export const imageferryPlugin = 1; export const providers = [{ name: 'x' }];`,
    /a name \(a-z, 0-9, -\) and a function verify/,
  ],
  'a name that is taken': [good('harbor'), /provider harbor already/],
  'a name with capitals': [good('Harbor'), /a name/],
  'a syntax error': ['export const = 1;', /cannot be used: /],
  'an error at its start': [`throw new Error('it is broken')`, /cannot be used: it is broken/],
};
for (const [what, [text, says]] of Object.entries(wrong)) {
  test(`a plug-in with ${what} keeps the process from starting, and its file is named`, async () => {
    const path = module(text);
    await assert.rejects(
      loadPlugins(path),
      (error: Error) => says.test(error.message) && error.message.includes(path),
    );
  });
}

test('a path that is relative or not there is refused', async () => {
  await assert.rejects(loadPlugins('plugin.mjs'), /absolute paths/);
  await assert.rejects(loadPlugins(join(folder, 'nowhere.mjs')), /nowhere\.mjs cannot be used/);
});

/** A registry that answers every request alike. */
function context(
  answer = new HttpAnswer(200, { 'x-team-pulls-left': '42' }, Buffer.from('{}')),
): VerifyContext {
  const session = {
    call: async () => answer,
    claims: async () => undefined,
    origins: { registry: 'http://r' },
  };
  const access = {
    domain: 'r.example',
    provider: 'p',
    credential: { username: 'robot', password: 'canary-password' },
  };
  return { access, session, paths: [] } as unknown as VerifyContext;
}

const plugin = (verify: (context: PluginContext) => unknown): PluginProvider => ({
  name: 'p',
  verify: async (given) => (await verify(given)) as VerifyOutcome,
});

test('what a plug-in finds is passed on; the password is not among what it gets', async () => {
  const seen: PluginContext[] = [];
  const found = { capabilities: [{ scope: '*', actions: ['list'] }], expires: '2027-01-01T00:00:00Z' };
  const outcome = await pluginAdapter(
    plugin((given) => {
      seen.push(given);
      return found;
    }),
  ).verify(context());
  assert.deepEqual(outcome, found);
  assert.deepEqual(seen[0]?.registry, { domain: 'r.example', provider: 'p', username: 'robot' });
  assert.ok(!JSON.stringify(seen).includes('canary'));
});

const misbehaving: Readonly<Record<string, readonly [(context: PluginContext) => unknown, string, RegExp]>> =
  {
    'says why': [({ fail }) => fail('Forbidden', 'a robot please'), 'Forbidden', /a robot please/],
    'says why by a code that is none': [({ fail }) => fail('Nonsense', 'x'), 'PluginFailed', /x/],
    throws: [() => Promise.reject(new TypeError('canary-password')), 'PluginFailed', /TypeError/],
    'throws at once, and no error': [
      () => {
        throw 'canary-password';
      },
      'PluginFailed',
      /no error/,
    ],
    'returns nothing': [() => undefined, 'PluginFailed', /malformed/],
    'returns an action that is none': [
      () => ({ capabilities: [{ scope: '*', actions: ['own'] }] }),
      'PluginFailed',
      /capabilities\.0\.actions\.0/,
    ],
    'never answers': [() => new Promise(() => {}), 'PluginFailed', /no answer within/],
    'asks another host': [
      ({ request }) => request({ path: '//elsewhere.example/' }),
      'PluginFailed',
      /other than a path/,
    ],
    'asks by a whole address': [
      ({ request }) => request({ path: 'http://elsewhere.example/' }),
      'PluginFailed',
      /other than a path/,
    ],
  };
for (const [what, [verify, code, says]] of Object.entries(misbehaving)) {
  test(`a plug-in that ${what} fails as ${code}, and tells no secret`, async () => {
    const failure = await rejection(
      code as 'PluginFailed',
      pluginAdapter(plugin(verify), 50).verify(context()),
    );
    assert.match(failure.message, says);
    assert.ok(!failure.message.includes('canary'));
  });
}

test('the example in docs is a plug-in of this contract and does what it says', async () => {
  const path = join(import.meta.dirname, '../../../docs/examples/team-registry.mjs');
  assert.equal(pathToFileURL(path).protocol, 'file:');
  assert.ok((await loadPlugins(path)).includes('team-registry'));
  const outcome = await providerAdapter('team-registry').verify(context());
  assert.deepEqual(outcome.pullQuota, { remaining: 42, limit: 10_000, windowSeconds: 86_400 });
});
