import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { printReceipt } from '../../domain/bundle/receipt.ts';
import { statementPayloadType } from '../../domain/bundle/statement.ts';
import { parseSiteName } from '../../domain/names/kubernetes-name.ts';
import { publicKeyPem } from '../../domain/trust/public-key.ts';
import { emptyInbox } from '../../infra/bundle/inbox.ts';
import { SiteMail } from '../../infra/bundle/site-mail.ts';
import { BundleShelf } from '../../infra/storage/bundle-shelf.ts';
import { signEnvelope } from '../../infra/trust/ed25519.ts';
import { digestOf, newSigner } from '../support/signed-samples.ts';
import { StageScene } from '../support/stage-scene.ts';

const [name, signer] = [parseSiteName('far'), newSigner()];
let scene: StageScene;
before(async () => {
  scene = await StageScene.open();
  await scene.site(name, { bundle: { receiptKey: publicKeyPem(signer.key) } });
});
after(() => scene.close());

const mail = (): SiteMail => new SiteMail(new BundleShelf(scene.s3.store), scene.cluster, () => new Date());
/** A receipt that the site signed at a time. */
const receiptOf = (completedAt: string): Uint8Array =>
  signEnvelope(
    statementPayloadType,
    printReceipt({
      site: name,
      sequence: 5,
      bundleDigest: digestOf('b'),
      completedAt,
      images: [],
      clockOverridden: false,
    }),
    [signer],
  );

test('a letter that is put in the place of one that is just being taken is not lost', async () => {
  const key = 'inbox/far.json';
  const [old, later] = [receiptOf('2026-05-02T00:00:00.000Z'), receiptOf('2026-05-03T00:00:00.000Z')];
  await scene.s3.store.write(key, old);
  const report = await emptyInbox(scene.s3.store, mail(), async () => {
    await scene.s3.store.write(key, later);
    return 'taken';
  });
  assert.deepEqual(report.taken, ['taken']);
  const left = await scene.s3.store.read(key, 1 << 20);
  assert.ok(left !== undefined && Buffer.from(left).equals(later));
});
