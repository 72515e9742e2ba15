import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { parseSiteName } from '../../domain/names/kubernetes-name.ts';
import { publicKeyPem } from '../../domain/trust/public-key.ts';
import { SiteMail, type AppliedInventory } from '../../infra/bundle/site-mail.ts';
import { takeInventory } from '../../infra/bundle/take-inventory.ts';
import { BundleShelf } from '../../infra/storage/bundle-shelf.ts';
import { newSigner } from '../support/signed-samples.ts';
import { StageScene } from '../support/stage-scene.ts';

let scene: StageScene;
before(async () => {
  scene = await StageScene.open();
});
after(() => scene.close());

test('M05 an inventory of a site whose clock was ahead does not stand before all later ones', async () => {
  const [name, signer] = [parseSiteName('ahead'), newSigner()];
  await scene.site(name, { bundle: { receiptKey: publicKeyPem(signer.key) } });
  const comes = async (taken: string, comesAt: string): Promise<AppliedInventory['verdict']> => {
    const { bytes } = await takeInventory(
      { repository: () => assert.fail('no repository is named') },
      { site: name, repositories: [], signer, now: () => Date.parse(taken) },
    );
    const mail = new SiteMail(new BundleShelf(scene.s3.store), scene.cluster, () => new Date(comesAt));
    return (await mail.applyInventory(bytes, name)).verdict;
  };
  assert.equal(await comes('2099-01-01T00:00:00Z', '2026-03-01T00:00:00Z'), 'advance');
  assert.equal(await comes('2026-02-01T00:00:00Z', '2026-03-02T00:00:00Z'), 'stale');
  assert.equal(await comes('2026-04-01T00:00:00Z', '2026-04-02T00:00:00Z'), 'advance');
  const site = await scene.cluster.resource('edgesites').get({ name });
  assert.equal(site?.status?.inventory?.time, '2026-04-01T00:00:00Z');
});
