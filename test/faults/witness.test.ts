import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../support/misbehaving-registry/content.ts';
import { sampleImage } from '../support/misbehaving-registry/images.ts';
import { MisbehavingRegistry } from '../support/misbehaving-registry/registry.ts';
import { Trace } from '../support/misbehaving-registry/trace.ts';
import { formsOf, strayCredentials, textOf } from '../support/faults/secrets.ts';

async function withRegistry(
  act: (registry: MisbehavingRegistry, trace: Trace) => Promise<void>,
): Promise<void> {
  const trace = new Trace();
  const registry = await new MisbehavingRegistry(trace, {
    checksManifests: false,
    acceptsWrongDigests: true,
  }).listen();
  try {
    await act(registry, trace);
  } finally {
    await registry.close();
  }
}

test('the double sees a tag on an incomplete graph (INV1)', () =>
  withRegistry(async (registry, trace) => {
    const image = sampleImage('witness');
    const headers = { 'content-type': image.manifest.mediaType };
    await fetch(`${registry.origin}/v2/a/manifests/v1`, {
      method: 'PUT',
      headers,
      body: image.manifest.bytes,
    });
    assert.equal(trace.violations.length, 1);
    assert.match(trace.violations[0] ?? '', /^INV1 a:v1 lacks sha256:/);
  }));

test('the double sees a part of a tagged image being deleted (INV1)', () =>
  withRegistry(async (registry, trace) => {
    const image = sampleImage('witness2');
    registry.hold('a', image, 'v1');
    await fetch(`${registry.origin}/v2/a/blobs/${digestOf(image.blobs[1] ?? Buffer.alloc(0))}`, {
      method: 'DELETE',
    });
    assert.equal(trace.violations.length, 1);
  }));

test('the double counts wrong bytes even when told to take them (INV2)', () =>
  withRegistry(async (registry) => {
    const digest = `sha256:${'0'.repeat(64)}`;
    const answer = await fetch(`${registry.origin}/v2/a/blobs/uploads/?digest=${digest}`, {
      method: 'POST',
      body: 'x',
    });
    assert.equal(answer.status, 201);
    assert.equal(registry.state.wrongDigestCommits, 1);
  }));

test('a credential at another origin, or in an address, is seen in any form (INV3)', () =>
  withRegistry(async (registry, trace) => {
    const secret = 'canary-pässword';
    const canary = { secret, origins: new Set(['http://other']) };
    const basic = `Basic ${Buffer.from(`user:${secret}`).toString('base64')}`;
    await fetch(`${registry.origin}/v2/`, { headers: { authorization: basic } });
    await fetch(`${registry.origin}/v2/?t=${encodeURIComponent(secret)}`);
    assert.equal(strayCredentials(trace, [canary]).length, 3);
    assert.equal(strayCredentials(trace, [{ secret: 'another-canary', origins: new Set() }]).length, 0);
  }));

test('a secret in an error is seen in its fields, causes and encodings (INV4)', () => {
  const secret = 'canary-pässword';
  const found = (error: unknown): boolean => formsOf(secret).some((form) => textOf(error).includes(form));
  assert.ok(found(new Error('x', { cause: new Error(secret) })));
  for (const prefix of ['u:', 'us:', 'use:'])
    assert.ok(found(new Error(Buffer.from(prefix + secret).toString('base64'))));
  assert.ok(!found(new Error('nothing')));
});
