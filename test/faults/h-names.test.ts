import assert from 'node:assert/strict';
import { parseRegistryDomain } from '../../domain/names/registry-domain.ts';
import type { RegistryAccess } from '../../infra/copy/engine.ts';
import { networkFailure } from '../../infra/registry/network-failure.ts';
import { resolveAs } from '../support/faults/name-service.ts';
import { heading, row } from '../support/faults/world.ts';
import { sampleImage } from '../support/misbehaving-registry/images.ts';
import type { MisbehavingRegistry } from '../support/misbehaving-registry/registry.ts';

/** A double under a name of its own. */
const named = (name: string, { port }: MisbehavingRegistry): Partial<RegistryAccess> => ({
  domain: parseRegistryDomain(`${name}:${port}`),
  insecure: true,
});

heading('H. Names', () => {
  row('H10 the codes of the resolver are DNSFailure', async () => {
    for (const code of ['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'ENODATA']) {
      assert.equal(networkFailure(Object.assign(new Error('x'), { code })).code, 'DNSFailure');
    }
    await Promise.resolve();
  });

  row('H10 a second address is used where the first is dead', async (world) => {
    const image = sampleImage('h10');
    const { source, target } = await world.pair(image);
    resolveAs('two.example', ['127.0.0.9', '127.0.0.1']);
    await world.copy(source, target, { sourceAccess: named('two.example', source) });
    world.landed(target, image);
  });

  row('H10 a resolver that fails once is asked again', async (world) => {
    const image = sampleImage('h10again');
    const { source, target } = await world.pair(image);
    resolveAs('late.example', { error: 'EAI_AGAIN' }, ['127.0.0.1']);
    await world.copy(source, target, { sourceAccess: named('late.example', source) });
    world.landed(target, image);
  });

  row('H10 an unknown name is asked for three times and is DNSFailure then', async (world) => {
    const { source, target } = await world.pair(sampleImage('h10unknown'));
    const asked = resolveAs('unknown.example', { error: 'ENOTFOUND' });
    const sourceAccess = named('unknown.example', source);
    const failure = await world.copyFails('DNSFailure', source, target, { sourceAccess });
    assert.ok(failure.message !== '' && failure.side === 'source', failure.side);
    assert.equal(asked(), 3);
  });
});
