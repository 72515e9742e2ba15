import assert from 'node:assert/strict';
import { Failure } from '../../domain/failure.ts';
import { sampleImage } from '../support/misbehaving-registry/images.ts';
import { heading, row, sourcePath, targetPath } from '../support/faults/world.ts';
import { rejection } from '../support/refusal.ts';

/** Time-outs for rows in which an answer is held back on purpose. */
const patient = { headersTimeoutMs: 30_000, idleTimeoutMs: 30_000 };

heading('G. Who writes a tag last', () => {
  row('G06 a tag whose writing broke off is not written again past its fence', async (world) => {
    const { source, target } = await world.pair(sampleImage('g06lost'));
    const newer = sampleImage('g06lostnew');
    let asked = 0;
    target.script({ method: 'PUT', path: '/manifests/v1', times: 1 }, (exchange) => {
      target.hold(targetPath, newer, 'v1');
      exchange.reset();
    });
    const hooks = {
      fence: async (): Promise<void> => {
        await Promise.resolve();
        asked += 1;
        if (asked > 1) throw new Failure('Superseded');
      },
    };
    await rejection('Superseded', world.copy(source, target, { hooks }));
    world.landed(target, newer);
    assert.equal(world.trace.count('PUT', '/manifests/v1', target.origin), 1);
  });

  row(
    'G05 two copies to one tag end with one whole image under it, and only that one says that it is there',
    async (world) => {
      const [one, two] = [sampleImage('g05a', [200_000]), sampleImage('g05b', [200_000])];
      const { source, target } = await world.pair(one);
      source.hold(sourcePath, two, 'v2');
      let written = 0;
      const both = Promise.withResolvers<void>();
      target.script({ method: 'PUT', path: '/manifests/v1', times: 2 }, async (exchange) => {
        const honest = await exchange.honestAnswer();
        written += 1;
        if (written === 2) both.resolve();
        await both.promise;
        await exchange.send(honest);
      });
      const outcomes = await Promise.allSettled([
        world.copy(source, target),
        world.copy(source, target, { reference: 'v2' }),
      ]);
      const digest = target.repository(targetPath).tags.get('v1') ?? '';
      assert.ok([one.digest, two.digest].includes(digest));
      assert.deepEqual(target.repository(targetPath).missing(digest), []);
      const placed = outcomes.flatMap((each) => (each.status === 'fulfilled' ? [each.value.root] : []));
      assert.deepEqual(placed, [digest]);
      const lost = outcomes.find((each) => each.status === 'rejected')?.reason;
      assert.ok(lost instanceof Failure && lost.code === 'TagConflict', String(lost));
    },
    patient,
  );
});
