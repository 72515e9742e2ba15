import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { describeFailure, type FailureCode } from '../../domain/failure.ts';
import type { Repository, VerificationSpec } from '../../domain/resources/repository.ts';
import { rollbackAnnotation } from '../../domain/reconcile/lifecycle.ts';
import { applier } from '../../infra/local/apply.ts';
import { demoRegistry } from '../../infra/local/demo/registry.ts';
import type { Image } from '../../infra/local/demo/image.ts';
import { call } from '../support/api-client.ts';
import { cosignSigner } from '../support/cosign-signer.ts';
import { liveSync, synced, until } from '../support/live-sync.ts';
import { madeImage } from '../support/made-image.ts';
import { signatureByReferrer, signatureByTag } from '../support/signature-images.ts';
import { endpoints } from '../support/stack.ts';

const { registries, kubeconfig, tokens } = endpoints();
const { upstream, edge } = registries;
const live = liveSync();
const from = demoRegistry(upstream);
const to = demoRegistry(edge);
const signer = cosignSigner();
const stranger = cosignSigner('ed25519');
let secret = '';

before(async () => {
  secret = await live.secret(upstream);
});
after(() => live.close());

const verified = ({ status }: Repository) => status?.conditions?.find(({ type }) => type === 'Verified');

interface Scene {
  readonly path: string;
  readonly image: Image;
  readonly name: string;
}

/** An image, signed by what `sign` makes of it, in a Repository that asks for a signature; its first sync has ended. */
async function scene(
  verification: VerificationSpec,
  sign?: (path: string, image: Image) => Promise<unknown>,
): Promise<Scene & Awaited<ReturnType<typeof live.ended>>> {
  const path = `test/${live.unique('signed')}`;
  const image = madeImage([100_000]);
  await from.push(path, '1', image);
  await sign?.(path, image);
  const name = await live.repository(secret, { repository: path, tag: '1', retryCount: 0, verification });
  return { path, image, name, ...(await live.ended(name)) };
}

async function byTag(path: string, image: Image, by = signer, annotations = {}): Promise<void> {
  const { payload, signature } = by.simple(image.index.digest, annotations);
  const { tag, image: signed } = signatureByTag(image.index.digest, payload, signature);
  await from.push(path, tag, signed);
}

async function byReferrer(path: string, image: Image, by = signer): Promise<void> {
  const { tag, image: signed } = signatureByReferrer(image.index, by.bundle(image.index.digest));
  await from.push(path, tag, signed);
}

const publicKey = signer.publicKey;
const refusals: readonly (readonly [
  string,
  FailureCode,
  VerificationSpec,
  ((path: string, image: Image) => Promise<unknown>)?,
])[] = [
  ['an unsigned image', 'SignatureRequired', { publicKey }],
  [
    'an image signed by a stranger',
    'SignatureInvalid',
    { publicKey },
    (path, image) => byTag(path, image, stranger),
  ],
  [
    'an image whose signature says something else',
    'SignatureInvalid',
    { publicKey, annotations: { env: 'prod' } },
    (path, image) => byTag(path, image, signer, { env: 'dev' }),
  ],
  [
    'a signature of another image',
    'SignatureInvalid',
    { publicKey },
    async (path, image) => {
      const { payload, signature } = signer.simple(madeImage([1]).index.digest);
      const { tag, image: signed } = signatureByTag(image.index.digest, payload, signature);
      await from.push(path, tag, signed);
    },
  ],
  ['a key that is not there', 'SecretNotFound', { publicKeyRef: { kind: 'ConfigMap', name: 'no-such-key' } }],
];
for (const [what, code, verification, sign] of refusals) {
  test(`${what} goes to no site: ${code} in condition, site and Event`, async () => {
    const { path, image, object, record } = await scene(verification, sign);
    assert.deepEqual([record.result, record.reason], ['Failed', code], JSON.stringify(object.status));
    for (const condition of [synced(object), verified(object)]) {
      assert.deepEqual([condition?.status, condition?.reason], ['False', code]);
    }
    assert.deepEqual([object.status?.sites?.[0]?.state, object.status?.sites?.[0]?.reason], ['Failed', code]);
    await assert.rejects(to.manifest(path, '1'), /404/);
    await assert.rejects(to.manifest(path, image.index.digest), /404/);
    for (const blob of image.blobs) await assert.rejects(to.blob(path, blob.digest), /404/);
    await until('the Event', async () => {
      const events = await live.eventsOf(object.metadata.uid ?? '');
      return events.find(({ type }) => type === 'Warning');
    });
  });
}

for (const [what, sign] of [
  ['by tag', byTag],
  ['by a referrer', byReferrer],
] as const) {
  test(`an image signed ${what} arrives, with its signature, and stays verified without a change`, async () => {
    const { path, image, name, object } = await scene({ publicKey }, (at, one) => sign(at, one));
    assert.deepEqual(
      [synced(object).status, verified(object)?.status],
      ['True', 'True'],
      JSON.stringify(object.status),
    );
    assert.ok(image.index.bytes.equals(await to.manifest(path, '1')));
    const suffix = sign === byTag ? '.sig' : '';
    await to.manifest(path, image.index.digest.replace(':', '-') + suffix);
    await live.gateway.startSync({ namespace: live.namespace, name }, 'manual');
    const again = await live.ended(name, 2);
    assert.deepEqual([again.record.result, verified(again.object)?.status], ['Unchanged', 'True']);
  });
}

test('a new image under the tag goes nowhere before it is signed; the old one stays', async () => {
  const { path, image, name } = await scene({ publicKey }, (at, one) => byTag(at, one));
  const fresh = madeImage([2000]);
  await from.push(path, '1', fresh);
  const ref = { namespace: live.namespace, name };
  await live.gateway.startSync(ref, 'manual');
  const refused = await live.ended(name, 2);
  assert.equal(refused.record.reason, 'SignatureRequired');
  assert.ok(image.index.bytes.equals(await to.manifest(path, '1')));
  await byReferrer(path, fresh);
  await live.gateway.startSync(ref, 'manual');
  assert.equal((await live.ended(name, 3)).record.result, 'Success');
  assert.ok(fresh.index.bytes.equals(await to.manifest(path, '1')));
});

test('a rollback to a version that is not signed acceptably is refused, also by annotation, and nothing moves', async () => {
  const { path, image, name } = await scene({ publicKey }, (at, one) => byTag(at, one));
  const [unsigned, strange] = [madeImage([3000]), madeImage([4000])];
  // They are at the site already, as versions from before a signature was asked for would be.
  for (const one of [unsigned, strange]) await to.push(path, 'old', one);
  await byTag(path, strange, stranger);
  const ref = { namespace: live.namespace, name };
  const untouched = async (): Promise<void> => {
    const { spec } = await live.get(name);
    assert.equal(spec.pinnedDigest, undefined);
    assert.ok(image.index.bytes.equals(await to.manifest(path, '1')));
  };
  const route = `/namespaces/${live.namespace}/repositories/${name}/rollback`;
  // The rollback before this one may still be writing its Event.
  const rollBackTo = ({ index }: typeof image) =>
    until('an answer of its own', async () => {
      const answer = await call(tokens.admin, 'POST', route, { digest: index.digest });
      return answer.text.includes('AlreadyRunning') ? undefined : answer;
    });
  for (const [one, code] of [
    [unsigned, 'SignatureRequired'],
    [strange, 'SignatureInvalid'],
  ] as const) {
    const answered = await rollBackTo(one);
    assert.ok(answered.status >= 400 && answered.text.includes(`"${code}"`), answered.text);
    await untouched();
    const annotations = { [rollbackAnnotation]: one.index.digest };
    await live.resources.resource('repositories').patch(ref, { metadata: { annotations } });
    const object = await until('the request is served', async () => {
      const found = await live.get(name);
      return found.metadata.annotations?.[rollbackAnnotation] === undefined ? found : undefined;
    });
    await until(`the Event that says ${code}`, async () => {
      const events = await live.eventsOf(object.metadata.uid ?? '');
      return events.find(
        ({ action, note }) => action === 'Rollback' && note?.startsWith(describeFailure(code, {}, 'en')),
      );
    });
    await untouched();
  }
  await byTag(path, unsigned);
  const signed = await rollBackTo(unsigned);
  assert.equal(signed.status, 200, signed.text);
  assert.ok(unsigned.index.bytes.equals(await to.manifest(path, '1')));
});

test('a key from a ConfigMap is read at each sync, so that a rotation counts at once', async () => {
  const name = live.unique('keys');
  const apply = (pem: string) =>
    applier(kubeconfig).apply({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace: live.namespace },
      data: { 'release.pub': pem },
    });
  await apply(publicKey);
  const verification = { publicKeyRef: { kind: 'ConfigMap', name, key: 'release.pub' } } as const;
  const { name: repository, record } = await scene(verification, (path, image) => byTag(path, image));
  assert.equal(record.result, 'Success');
  await apply(stranger.publicKey);
  await live.gateway.startSync({ namespace: live.namespace, name: repository }, 'manual');
  const { object } = await live.ended(repository, 2);
  assert.deepEqual([verified(object)?.reason, object.status?.syncStatus], ['SignatureInvalid', 'Failed']);
});

test('a key that is none, or two at once, is refused at both doors', async () => {
  const bodies = [{ publicKey: 'x' }, {}, { publicKey, publicKeyRef: { kind: 'Secret', name: 'k' } }];
  for (const verification of bodies) {
    const spec = { repository: 'a/b', tag: '1', registryRef: { name: secret }, verification };
    const answered = await call(tokens.admin, 'POST', '/namespaces/default/repositories', {
      metadata: { name: live.unique('bad') },
      spec,
    });
    assert.ok([400, 422].includes(answered.status), answered.text);
    await assert.rejects(
      live.repository(secret, {
        repository: 'a/b',
        tag: '1',
        verification: verification as VerificationSpec,
      }),
    );
  }
});
