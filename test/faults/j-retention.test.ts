import assert from 'node:assert/strict';
import { readDocument, usageKey, writeDocument } from '../../activities/cleanup-documents.ts';
import { approvalSuffices, deletions, planHolds } from '../../domain/lifecycle/plan.ts';
import { parkedTag } from '../../domain/lifecycle/parking.ts';
import { parseDigest } from '../../domain/names/digest.ts';
import { cleanupScene } from '../support/faults/cleanup-scene.ts';
import { HarborDouble, harborAccounts } from '../support/harbor-double.ts';
import { heading, row, targetPath, type FaultWorld } from '../support/faults/world.ts';
import { answers, changes, resets } from '../support/misbehaving-registry/behaviours.ts';
import { sampleImage, sampleIndex, type SampleImage } from '../support/misbehaving-registry/images.ts';
import { rejection } from '../support/refusal.ts';

const versions = ['1.0.0', '1.1.0', '1.2.0', '1.3.0'];
const deletes = (world: FaultWorld): number => world.trace.count('DELETE', '');
const manifestsPath = (tag: string): RegExp =>
  new RegExp(`/manifests/${tag.replaceAll('.', String.raw`\.`)}$`);

heading('J. Retention and deletion', () => {
  row(
    'J01 of two tags on one digest one goes, and the other still stands for the whole image',
    async (world) => {
      const shared = sampleImage('j01');
      const scene = await cleanupScene(world, ['1.0.0', 'prod'], () => shared);
      assert.equal(await scene.park('1.0.0'), 'parked');
      const content = scene.site.repository(targetPath);
      assert.equal(content.tags.has('1.0.0'), false);
      assert.equal(content.tags.get('prod'), shared.digest);
      assert.deepEqual(content.missing(shared.digest), []);
      assert.equal(world.trace.count('DELETE', /\/manifests\/sha256:/), 0, 'never by digest');
      await scene.close();
    },
  );

  row('J02 a registry that cannot delete a tag holds before the tag is touched', async (world) => {
    const scene = await cleanupScene(world, versions);
    scene.site.script({ method: 'DELETE' }, answers({ status: 405 }));
    await rejection('TagDeleteUnsupported', scene.park('1.0.0'));
    assert.ok(scene.site.repository(targetPath).tags.has('1.0.0'));
    assert.equal(world.trace.count('DELETE', manifestsPath('1.0.0')), 0);
    await scene.close();
  });

  row('J02 a registry whose tag delete takes the content along loses nothing', async (world) => {
    const scene = await cleanupScene(world, versions);
    const digest = scene.images.get('1.0.0')?.digest ?? '';
    const content = scene.site.repository(targetPath);
    scene.site.script({ method: 'DELETE' }, async (exchange) => {
      content.manifests.delete(digest);
      for (const [tag, held] of content.tags) if (held === digest) content.tags.delete(tag);
      await exchange.send({ status: 202 });
    });
    await rejection(['TagDeleteUnsupported', 'SharedDigest'], scene.park('1.0.0'));
    assert.deepEqual(content.missing(digest), [], 'the content is back');
    await scene.close();
  });

  row('J03 a tag on a child of a kept index is kept, and so is its index whole', async (world) => {
    const child = sampleImage('j03-child');
    const index = sampleIndex([child, sampleImage('j03-other')]);
    const made: Readonly<Record<string, SampleImage>> = { '2.0.0': index, '1.0.0': child };
    const scene = await cleanupScene(
      world,
      ['2.0.0', '1.0.0', '1.1.0'],
      (tag) => made[tag] ?? sampleImage(`j03-${tag}`),
    );
    const plan = await scene.plan({ keepRecent: 1 });
    const reasons = Object.fromEntries(plan.items.map(({ tag, reason }) => [tag, reason]));
    assert.deepEqual(reasons, { '2.0.0': 'KeepRecent', '1.0.0': 'ChildOfKept', '1.1.0': 'NotKept' });
    await scene.close();
  });

  row(
    'J12 what Harbor says was pulled lately is kept; our own checks never count as a pull',
    async (world) => {
      const harbor = await new HarborDouble(world.trace).listen();
      const access = { provider: 'harbor', credential: harborAccounts.robot };
      const scene = await cleanupScene(world, versions, undefined, { site: harbor, access });
      const day = 86_400_000;
      const policy = { unusedDays: 14 };
      /** Days later, with Pods looked at all the while. */
      const later = async (days: number): Promise<Record<string, string>> => {
        scene.now += days * day;
        harbor.now = scene.now;
        const known = await readDocument(scene.deps.documents, usageKey);
        const ledger = { lastUsed: {}, ...known, since: scene.now - 90 * day, looked: scene.now - 60_000 };
        await writeDocument(scene.deps.documents, usageKey, ledger);
        const plan = await scene.plan(policy);
        return Object.fromEntries(plan.items.map(({ tag, reason }) => [tag, reason]));
      };
      const unused = { '1.0.0': 'Unused', '1.1.0': 'Unused', '1.2.0': 'Unused', '1.3.0': 'Unused' };
      assert.deepEqual(await later(0), unused);
      harbor.now = scene.now + 2 * day;
      await fetch(`${harbor.origin}/v2/${targetPath}/manifests/1.1.0`);
      assert.deepEqual(await later(5), { ...unused, '1.1.0': 'RecentlyUsed' });
      assert.deepEqual(
        await later(1),
        { ...unused, '1.1.0': 'RecentlyUsed' },
        'the plan before read them all',
      );
      assert.deepEqual(await later(20), unused);
      harbor.script({ path: '/artifacts' }, answers({ status: 403 }));
      const blind = await scene.plan(policy);
      assert.deepEqual(
        planHolds(blind).map(({ code }) => code),
        ['UsageUnknown'],
      );
      await scene.close();
      await harbor.close();
    },
  );

  row('J05 a damaged manifest holds its own image, and the run goes on with the others', async (world) => {
    const scene = await cleanupScene(world, versions);
    const good = 'lifecycle/good';
    for (const tag of versions) scene.site.hold(good, sampleImage(`good-${tag}`), tag);
    const { spec, ...app } = (await scene.cluster.resource('repositories').list())[0] ?? assert.fail();
    await scene.cluster.resource('repositories').create({
      ...app,
      metadata: { namespace: 'default', name: 'good' },
      spec: { ...spec, repository: good },
    });
    const digest = scene.images.get('1.1.0')?.digest ?? '';
    scene.site.script(
      { path: new RegExp(`${targetPath}/manifests/${digest}$`) },
      changes((answer) => ({ ...answer, body: '{"schemaVersion":2}' })),
    );
    const plan = await scene.plan({ keepRecent: 1, keepDays: 0 });
    const holds = planHolds(plan);
    assert.deepEqual(
      holds.map(({ code, path }) => [code, path]),
      [['ImageDegraded', targetPath]],
    );
    assert.equal(approvalSuffices(holds), true);
    assert.deepEqual([...new Set(plan.items.map(({ path }) => path))], [good]);
    await scene.close();
  });

  for (const [name, script] of [
    ['a page that answers 500', answers({ status: 500 })],
    ['half of a page', changes((answer) => ({ ...answer, body: '{"name":"x","tags":["1.3.0"' }))],
    ['HTML', answers({ status: 200, headers: { 'content-type': 'text/html' }, body: '<html></html>' })],
  ] as const) {
    row(`J05 J06 a listing that is ${name} stops the run: no verdict, no deletion`, async (world) => {
      const scene = await cleanupScene(world, versions);
      scene.site.script({ path: '/tags/list' }, script);
      const plan = await scene.plan({ keepRecent: 1 });
      assert.deepEqual(
        planHolds(plan).map(({ code }) => code),
        ['ListingIncomplete'],
      );
      assert.deepEqual([deletions(plan).length, deletes(world)], [0, 0]);
      await scene.close();
    });
  }

  for (const tags of ['null', '[]']) {
    row(`J06 a listing that says ${tags} although we placed tags is suspicious`, async (world) => {
      const scene = await cleanupScene(world, versions);
      scene.site.script(
        { path: '/tags/list' },
        answers({ status: 200, body: `{"name":"x","tags":${tags}}` }),
      );
      const plan = await scene.plan({ keepRecent: 1 });
      assert.deepEqual(
        planHolds(plan).map(({ code }) => code),
        ['ListingSuspicious'],
      );
      assert.equal(deletes(world), 0);
      await scene.close();
    });
  }

  row('J05 a listing smaller by more than a tenth than the last one is not believed', async (world) => {
    const scene = await cleanupScene(world, versions);
    assert.deepEqual(planHolds(await scene.plan({ keepRecent: 1 })), []);
    scene.site.script(
      { path: '/tags/list' },
      answers({ status: 200, body: '{"name":"x","tags":["1.0.0","1.1.0","1.2.0"]}' }),
    );
    const plan = await scene.plan({ keepRecent: 1 });
    assert.deepEqual(
      planHolds(plan).map(({ code }) => code),
      ['ListingIncomplete'],
    );
    await scene.close();
  });

  row('J10 a tag that was moved since the plan is not touched', async (world) => {
    const scene = await cleanupScene(world, versions);
    scene.site.hold(targetPath, sampleImage('j10-new'), '1.0.0');
    assert.equal(await scene.park('1.0.0'), 'moved');
    assert.equal(deletes(world), 0);
    await scene.close();
  });

  row('J11 planning sends nothing but reads', async (world) => {
    const scene = await cleanupScene(world, versions);
    assert.equal(deletions(await scene.plan({ keepRecent: 1 })).length, 3);
    assert.deepEqual([...new Set(world.trace.entries.map(({ method }) => method))].sort(), ['GET', 'HEAD']);
    await scene.close();
  });

  row('J12 a cluster that does not answer holds the run', async (world) => {
    const scene = await cleanupScene(world, versions);
    scene.usageBroken = true;
    const plan = await scene.plan({ keepRecent: 1 });
    assert.deepEqual(
      planHolds(plan).map(({ code }) => code),
      ['UsageUnknown'],
    );
    assert.equal(deletions(plan).length, 0);
    await scene.close();
  });

  row('J17 a tag that shows for a while after its deletion is waited for', async (world) => {
    const scene = await cleanupScene(world, versions);
    const image = scene.images.get('1.0.0');
    assert.ok(image !== undefined);
    scene.site.script(
      { method: 'HEAD', path: manifestsPath('1.0.0'), after: 1, times: 2 },
      async (exchange) => {
        const { mediaType, bytes } = image.manifest;
        await exchange.send({
          status: 200,
          headers: {
            'content-type': mediaType,
            'content-length': String(bytes.length),
            'docker-content-digest': image.digest,
          },
        });
      },
    );
    assert.equal(await scene.park('1.0.0'), 'parked');
    await scene.close();
  });

  row(
    'J17 J18 a deletion that ends in a reset is settled by looking, not by repeating blindly',
    async (world) => {
      const scene = await cleanupScene(world, versions);
      scene.site.script({ method: 'DELETE', path: manifestsPath('1.0.0'), times: 1 }, resets(true));
      const first = await scene.park('1.0.0').catch((error: unknown) => error);
      assert.equal(first === 'parked' ? first : await scene.park('1.0.0'), 'parked');
      const content = scene.site.repository(targetPath);
      assert.equal(content.tags.has('1.0.0'), false);
      const digest = parseDigest(scene.images.get('1.0.0')?.digest ?? '');
      assert.equal(content.tags.get(parkedTag(digest)), digest, 'our tag holds the content');
      await scene.close();
    },
  );

  row('J18 a tag that is written anew while its deletion has no answer stays', async (world) => {
    const scene = await cleanupScene(world, versions);
    const again = sampleImage('j18-again');
    scene.site.script({ method: 'DELETE', path: manifestsPath('1.0.0'), times: 1 }, async (exchange) => {
      await exchange.honestAnswer();
      scene.site.hold(targetPath, again, '1.0.0');
      exchange.reset();
    });
    assert.equal(await scene.park('1.0.0'), 'parked');
    const content = scene.site.repository(targetPath);
    assert.equal(content.tags.get('1.0.0'), again.digest);
    assert.equal(world.trace.count('DELETE', manifestsPath('1.0.0')), 1);
    await scene.close();
  });
});
