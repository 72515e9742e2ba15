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
  ImageCleanupPolicy: { keepRecent: 5 },
  EdgeSite: { registry: { domain: 'edge.invalid' } },
} as const;

/** Labels of 60, 60 and so many characters. */
const long = (letter: string, rest: number): string =>
  [60, 60, rest].map((length) => letter.repeat(length)).join('.');

const rows: readonly (readonly [keyof typeof specs, string, RegExp])[] = [
  ['Repository', long('r', 39), /at most 160 characters/],
  ['RegistrySecret', long('s', 59), /at most 180 characters/],
  ['ImageCleanupPolicy', long('p', 29), /at most 150 characters/],
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

const routes: Partial<Record<keyof typeof specs, () => string>> = {
  Repository: () => `/namespaces/${ns}/repositories`,
  RegistrySecret: () => `/namespaces/${ns}/registry-secrets`,
  EdgeSite: () => '/edge-sites',
};
for (const [kind, name, message] of rows) {
  const route = routes[kind];
  if (route === undefined) continue;
  test(`the API refuses ${kind} with a name of ${name.length} characters, too`, async () => {
    const refused = await call(tokens.admin, 'POST', route(), object(kind, name, specs[kind]));
    assert.equal(refused.status, 400);
    if (!name.includes('.') || kind !== 'EdgeSite') assert.match(refused.json.message, message);
  });
}

for (const kind of ['Repository', 'RegistrySecret'] as const) {
  test(`a ${kind} may have a name whose parts are longer than 63 characters, by kubectl and by the API`, async () => {
    const [first, second] = [`${'a'.repeat(70)}.one`, `${'a'.repeat(70)}.two`];
    const applied = await apply(object(kind, first, specs[kind]));
    assert.equal(applied.code, 0, applied.stderr);
    const route = routes[kind]?.() ?? '';
    const created = await call(tokens.admin, 'POST', route, object(kind, second, specs[kind]));
    assert.equal(created.status, 201, created.text);
    for (const name of [first, second])
      assert.equal(await statusOf(`${route}/${name}`), 200, `${name} can be read`);
    for (const name of [first, second])
      assert.equal((await call(tokens.admin, 'DELETE', `${route}/${name}`)).status, 204);
  });
}

/** What is applied is seen by the API a moment later. */
async function statusOf(path: string): Promise<number> {
  for (let tries = 0; ; tries += 1) {
    const { status } = await call(tokens.admin, 'GET', path);
    if (status !== 404 || tries === 50) return status;
    await new Promise((done) => setTimeout(done, 200));
  }
}
