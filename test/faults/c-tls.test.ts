import assert from 'node:assert/strict';
import type { TLSSocket } from 'node:tls';
import { selfSigned } from '../support/misbehaving-registry/certificate.ts';
import { sampleImage } from '../support/misbehaving-registry/images.ts';
import { heading, row, sourcePath } from '../support/faults/world.ts';

const good = selfSigned({ ip: [127, 0, 0, 1] });
const expired = selfSigned({ ip: [127, 0, 0, 1] }, -1);
const otherHost = selfSigned({ dns: 'elsewhere.example' });

heading('C. TLS', () => {
  row(
    'C16 a private certificate is trusted only where the registry’s own record carries it',
    async (world) => {
      const image = sampleImage('c16');
      const source = await world.registry({ tls: good });
      source.hold(sourcePath, image, 'v1');
      const target = await world.registry({ tls: good });
      const access = { insecure: false, caBundle: good.cert };
      await world.copyFails('TLSVerificationFailed', source, target, {
        sourceAccess: { insecure: false },
        targetAccess: access,
      });
      await world.copyFails('TLSVerificationFailed', source, target, {
        sourceAccess: access,
        targetAccess: { insecure: false },
      });
      await world.copy(source, target, { sourceAccess: access, targetAccess: access });
      world.landed(target, image);
    },
  );

  for (const [what, pair] of [
    ['has expired', expired],
    ['is for another host', otherHost],
  ] as const) {
    row(`C16 a certificate that ${what} is refused, even though it is the declared one`, async (world) => {
      const source = await world.registry({ tls: pair });
      source.hold(sourcePath, sampleImage('c16x'), 'v1');
      await world.copyFails('TLSVerificationFailed', source, await world.registry(), {
        sourceAccess: { insecure: false, caBundle: pair.cert },
      });
      assert.equal(world.trace.count('HEAD|GET', '', source.origin), 0);
    });
  }

  row('C16 TLS 1.0 and 1.1 are refused', async (world) => {
    const source = await world.registry({
      tls: { ...good, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
    });
    source.hold(sourcePath, sampleImage('c16old'), 'v1');
    await world.copyFails(['TLSVerificationFailed', 'NetworkError'], source, await world.registry(), {
      sourceAccess: { insecure: false, caBundle: good.cert },
    });
    assert.equal(world.trace.count('HEAD|GET', '', source.origin), 0);
  });

  row('E15 HTTP/2 is not spoken, even to a registry that offers it first', async (world) => {
    const image = sampleImage('e15', [200_000]);
    const [source, target] = await Promise.all(
      [0, 1].map(() => world.registry({ tls: { ...good, ALPNProtocols: ['h2', 'http/1.1'] } })),
    );
    assert.ok(source !== undefined && target !== undefined);
    source.hold(sourcePath, image, 'v1');
    const spoken = new Set<unknown>();
    for (const registry of [source, target]) {
      registry.script({}, async (exchange) => {
        spoken.add((exchange.socket as TLSSocket).alpnProtocol);
        await exchange.send(await exchange.honestAnswer());
      });
    }
    const access = { insecure: false, caBundle: good.cert };
    await world.copy(source, target, { sourceAccess: access, targetAccess: access });
    world.landed(target, image);
    assert.deepEqual([...spoken], ['http/1.1']);
  });
});
