import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { call, freshNamespace } from '../support/api-client.ts';
import { apply } from '../support/kubectl.ts';
import { endpoints } from '../support/stack.ts';

const { tokens, registries } = endpoints();
const apiVersion = 'image.theriseunion.io/v1alpha1';
let ns = '';
before(async () => {
  ns = await freshNamespace('names');
  const spec = { ...registries.upstream, provider: 'other' };
  assert.equal((await apply(object('RegistrySecret', 'hub', spec))).code, 0);
});

const object = (kind: string, name: string, spec: object) => ({
  apiVersion,
  kind,
  metadata: { name, ...(kind === 'EdgeSite' ? {} : { namespace: ns }) },
  spec,
});
const specs = {
  Repository: { repository: 'a/b', tag: 'v1', registryRef: { name: 'hub' } },
  RegistrySecret: { domain: 'hub.invalid', username: 'u', password: 'p', provider: 'other' },
  EdgeSite: { registry: { domain: 'edge.invalid' } },
} as const;

/** Labels of 60, 60 and so many characters. */
const long = (letter: string, rest: number): string =>
  [60, 60, rest].map((length) => letter.repeat(length)).join('.');

const rows: readonly (readonly [keyof typeof specs, string, RegExp])[] = [
  ['Repository', long('r', 39), /at most 160 characters/],
  ['RegistrySecret', long('s', 59), /at most 180 characters/],
  ['EdgeSite', 'e.e', /no dots/],
  ['EdgeSite', 'e'.repeat(64), /at most 63 characters/],
];
for (const [kind, name, message] of rows) {
  test(`kubectl apply refuses ${kind} with a name of ${name.length} characters: ${message.source}`, async () => {
    const refused = await apply(object(kind, name, specs[kind]));
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, message);
  });
}

test('the API refuses a Repository with a name that is too long in the same words', async () => {
  const body = object('Repository', rows[0]?.[1] ?? '', specs.Repository);
  const refused = await call(tokens.admin, 'POST', `/namespaces/${ns}/repositories`, body);
  assert.equal(refused.status, 400);
  assert.match(refused.json.message, /at most 160 characters/);
});
