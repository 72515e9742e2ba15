import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseChallenges, planAuthentication } from '../../domain/registry/challenge.ts';
import { parseTag } from '../../domain/names/tag.ts';
import { parseRegistryDomain } from '../../domain/names/registry-domain.ts';
import { credentialGate, originsOf, realmGate } from '../../domain/registry/origin.ts';
import { parseTokenResponse } from '../../domain/registry/token-response.ts';
import { answers, changes, waits } from '../support/misbehaving-registry/behaviours.ts';
import { sampleImage } from '../support/misbehaving-registry/images.ts';
import { heading, row, sourcePath, type FaultWorld } from '../support/faults/world.ts';
import { codeOf, refusal, rejection } from '../support/refusal.ts';

/** A source that answers every request with a challenge for another realm. */
async function challengedWith(world: FaultWorld, id: string, realm: string): Promise<void> {
  const image = sampleImage(id);
  const { source, target } = await world.pair(image);
  const honeypot = await world.cdn();
  const challenge = `Bearer realm="${realm.replace('HONEYPOT', honeypot.host)}",service="double"`;
  source.script({}, answers({ status: 401, headers: { 'www-authenticate': challenge } }));
  await world.copyFails('RealmNotAllowed', source, target, {
    sourceAccess: { credential: { username: 'u', password: 'canary-b' } },
  });
  assert.equal(
    world.trace.count('GET|POST|HEAD', '', honeypot.origin),
    0,
    'nobody but the registry was asked',
  );
}

heading('B. Authentication and credential containment', () => {
  row('B01 a realm on a foreign host gets no request', (world) =>
    challengedWith(world, 'b01', 'http://HONEYPOT/token'),
  );

  row('B02 a plain http realm of an https registry is refused', async (world) => {
    const https = originsOf({ domain: parseRegistryDomain('r.example') });
    for (const realm of ['http://r.example/token', 'http://r.example:443/token']) {
      const verdict = realmGate(realm, https);
      assert.equal(verdict.allowed ? 'allowed' : verdict.code, 'RealmNotAllowed');
    }
    await challengedWith(world, 'b02', 'http://HONEYPOT/token');
  });

  row('B01 a token server that redirects is not followed', async (world) => {
    const { registry, tokens } = await world.bearerRegistry();
    registry.hold(sourcePath, sampleImage('b01r'), 'v1');
    const honeypot = await world.cdn();
    tokens.script({}, answers({ status: 307, headers: { location: `${honeypot.origin}/token` } }));
    await world.copyFails('BadTokenResponse', registry, await world.registry());
    assert.equal(world.trace.count('GET', '', honeypot.origin), 0);
  });

  row('B03 the registry’s host on another port is another origin, unless declared', async (world) => {
    const image = sampleImage('b03');
    const { registry, tokens } = await world.bearerRegistry({ declared: false });
    registry.hold(sourcePath, image, 'v1');
    const target = await world.registry();
    await world.copyFails('RealmNotAllowed', registry, target);
    assert.equal(world.trace.count('GET', '', tokens.origin), 0);
    await world.copy(registry, target, { sourceAccess: { allowedRealms: [tokens.origin] } });
    world.landed(target, image);
  });

  for (const [what, realm] of [
    ['with a user', 'http://user@HONEYPOT/token'],
    ['with a fragment', 'http://HONEYPOT/token#x'],
    ['of a file', 'file:///etc/passwd'],
    ['of data', 'data:application/json,{}'],
    ['that is 10 KiB long', `http://HONEYPOT/${'x'.repeat(10_240)}`],
  ] as const) {
    row(`B05 a realm ${what} is refused`, (world) => challengedWith(world, 'b05', realm));
  }

  row(
    'B06 Bearer is chosen from several challenges in any order, with quoted commas, escapes and no scope',
    async (world) => {
      const { registry, tokens } = await world.bearerRegistry();
      const image = sampleImage('b06');
      registry.hold(sourcePath, image, 'v1');
      registry.script(
        { path: '/v2/' },
        changes((answer) =>
          answer.status === 401
            ? {
                ...answer,
                headers: {
                  'www-authenticate': `Basic realm="a, \\"b\\"", Bearer service="x,y",realm="${tokens.realm}"`,
                },
              }
            : answer,
        ),
      );
      const target = await world.registry();
      await world.copy(registry, target);
      world.landed(target, image);
      assert.ok(
        world.trace.count('GET', 'service=x%2Cy', tokens.origin) > 0,
        'the comma stayed in its value',
      );
      refusal('UnexpectedResponse', () => parseChallenges(['Bearer realm="https://a/",realm="https://b/"']));
      refusal('UnexpectedResponse', () => planAuthentication(parseChallenges(['Bearer service="x"'])));
    },
  );

  row('B07 Basic over plain http is never sent to a registry that was not declared plain', async (world) => {
    const https = originsOf({ domain: parseRegistryDomain('r.example') });
    const verdict = credentialGate(new URL('http://r.example/v2/'), https);
    assert.equal(verdict.allowed ? 'allowed' : verdict.code, 'PlaintextCredentialRefused');
    const registry = await world.basicRegistry();
    registry.hold(sourcePath, sampleImage('b07'), 'v1');
    const target = await world.registry();
    // Declared https: nothing at all may travel in the clear, the credential least of all.
    await world.copyFails(['TLSVerificationFailed', 'NetworkError', 'UnexpectedResponse'], registry, target, {
      sourceAccess: { insecure: false },
    });
    assert.ok(world.trace.entries.every((entry) => entry.authorization === undefined));
  });

  row(
    'B08 a token answer: token, access_token or both are fine; neither, HTML and a megabyte are refused',
    async (world) => {
      const parse = (text: string): string => parseTokenResponse(new TextEncoder().encode(text)).token;
      assert.equal(parse('{"token":"a"}'), 'a');
      assert.equal(parse('{"access_token":"b"}'), 'b');
      assert.equal(parse('{"access_token":"b","token":"a"}'), 'a');
      assert.equal(parse('{"access_token":"b","token":""}'), 'b');
      const bad = [
        '{}',
        '[]',
        '<html>s3cret</html>',
        `{"token":"${'s3cret'.repeat(200_000)}"}`,
        '{"token":7}',
      ];
      for (const body of bad) {
        assert.equal(
          codeOf(() => parse(body)),
          'BadTokenResponse',
        );
        const { registry, tokens } = await world.bearerRegistry();
        registry.hold(sourcePath, sampleImage('b08'), 'v1');
        tokens.script({}, answers({ status: 200, body }));
        const failure = await world.copyFails('BadTokenResponse', registry, await world.registry());
        assert.ok(!failure.message.includes('s3cret'), 'the body is not repeated');
      }
    },
  );

  row('B10 a token that expires amid the copy is fetched anew, once, and the copy goes on', async (world) => {
    const image = sampleImage('b10', [300_000, 200_000, 100_000]);
    const source = await world.registry();
    source.hold(sourcePath, image, 'v1');
    const { registry, tokens } = await world.bearerRegistry();
    registry.script({ method: 'PATCH|PUT', path: 'blobs/uploads', times: 1 }, async (exchange) => {
      tokens.revokeAll();
      await exchange.send(await exchange.honestAnswer());
    });
    await world.copy(source, registry);
    world.landed(registry, image);
    assert.ok(world.trace.count('GET', '/token', tokens.origin) <= 6, 'no token storm');
  });

  row('B10 a token that expires amid a download is fetched anew, and the download goes on', async (world) => {
    const image = sampleImage('b10s', [300_000, 200_000, 100_000]);
    const { registry, tokens } = await world.bearerRegistry();
    registry.hold(sourcePath, image, 'v1');
    registry.script({ method: 'GET', path: '/blobs/', times: 1 }, async (exchange) => {
      tokens.revokeAll();
      await exchange.send(await exchange.honestAnswer());
    });
    const target = await world.registry();
    await world.copy(registry, target);
    world.landed(target, image);
    assert.ok(world.trace.count('GET', '/token', tokens.origin) <= 4);
  });

  row('B11 a fresh token that is refused again ends in Unauthorized, not in a loop', async (world) => {
    const { registry, tokens } = await world.bearerRegistry();
    registry.hold(sourcePath, sampleImage('b11'), 'v1');
    const challenge = `Bearer realm="${tokens.realm}",service="double"`;
    registry.script({}, answers({ status: 401, headers: { 'www-authenticate': challenge } }));
    await world.copyFails('Unauthorized', registry, await world.registry());
    assert.ok(world.trace.count('GET', '/token', tokens.origin) <= 2, 'at most two token calls a challenge');
    assert.ok(world.trace.count('HEAD|GET', '/v2/', registry.origin) <= 4);
  });

  row('B12 a 403 on the push is Forbidden at once: registry named, user and token not', async (world) => {
    const source = await world.registry();
    source.hold(sourcePath, sampleImage('b12'), 'v1');
    const target = await world.basicRegistry();
    target.script(
      { method: 'POST' },
      answers({ status: 403, body: '{"errors":[{"code":"DENIED","message":"no"}]}' }),
    );
    const failure = await world.copyFails(['Forbidden', 'DestinationRefused'], source, target);
    assert.ok(failure.message.includes(target.host), failure.message);
    assert.ok(world.trace.count('POST', '', target.origin) <= 3, 'no retry');
  });

  row(
    'B13 while the token server fails, many blobs make one call at a time and few in all',
    async (world) => {
      const image = sampleImage(
        'b13',
        Array.from({ length: 30 }, (_, index) => 1000 + index),
      );
      const { registry, tokens } = await world.bearerRegistry();
      registry.hold(sourcePath, image, 'v1');
      tokens.script({ times: 2 }, answers({ status: 503 }));
      const target = await world.registry();
      const from = world.endpoint(registry, sourcePath);
      // The challenge is known after the first one; then all at once want the same scope.
      await world.engine.resolve(from, parseTag('v1'));
      tokens.revokeAll();
      const asked = (): number => world.trace.count('HEAD', '/manifests/', registry.origin);
      const before = asked();
      // Sixteen are let through at once: the answer comes when all of them were refused, however busy the machine is.
      tokens.script({}, async (exchange) => {
        for (let tries = 0; asked() < before + 16 && tries < 100; tries += 1) await sleep(50);
        await waits(50)(exchange);
      });
      await Promise.all(Array.from({ length: 20 }, () => world.engine.resolve(from, parseTag('v1'))));
      await world.copy(registry, target);
      world.landed(target, image);
      assert.ok(
        world.trace.count('GET', '/token', tokens.origin) <= 6,
        `${world.trace.count('GET', '/token')} token calls`,
      );
    },
  );

  row('B13 a token server that stays down ends in TokenServerUnavailable after few calls', async (world) => {
    const { registry, tokens } = await world.bearerRegistry();
    registry.hold(sourcePath, sampleImage('b13x'), 'v1');
    tokens.script({}, answers({ status: 500 }));
    await world.copyFails('TokenServerUnavailable', registry, await world.registry());
    assert.ok(world.trace.count('GET', '/token', tokens.origin) <= 5);
  });

  row('B15 a token server that grants one scope a time is asked for one scope a time', async (world) => {
    const { registry } = await world.bearerRegistry({ maxScopes: 1 });
    const source = await world.registry();
    const image = sampleImage('b15');
    source.hold(sourcePath, image, 'v1');
    await world.copy(source, registry);
    world.landed(registry, image);
  });

  row('B16 the challenge of each request decides, not the base endpoint', async (world) => {
    const { registry } = await world.bearerRegistry();
    const image = sampleImage('b16');
    registry.hold(sourcePath, image, 'v1');
    registry.script({ path: /\/v2\/?$/ }, answers({ status: 200, body: '{}' }));
    const target = await world.registry();
    await world.copy(registry, target);
    world.landed(target, image);
  });

  row(
    'B17 a password with a colon and other scripts signs in; one with a newline is refused before any request',
    async (world) => {
      const credential = { username: 'robot$edge+sync', password: 'canary:pässwört:密码' };
      const registry = await world.registry({ auth: { kind: 'basic', ...credential } });
      const image = sampleImage('b17');
      registry.hold(sourcePath, image, 'v1');
      const target = await world.registry();
      await world.copy(registry, target, { sourceAccess: { credential } });
      world.landed(target, image);
      const before = world.trace.entries.filter((entry) => entry.authorization !== undefined).length;
      for (const bad of [
        { ...credential, password: 'canary\nX: y' },
        { ...credential, username: 'a:b' },
      ]) {
        await rejection(
          'InvalidCredential',
          world.copy(registry, target, { tag: 'v2', sourceAccess: { credential: bad } }),
        );
      }
      assert.equal(world.trace.entries.filter((entry) => entry.authorization !== undefined).length, before);
    },
  );
});
