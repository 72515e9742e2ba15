import assert from 'node:assert/strict';
import { rmSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parseSiteName } from '../../domain/names/kubernetes-name.ts';
import type { SiteFolder } from '../../infra/layout/site-folder.ts';
import type { Signer } from '../../infra/trust/ed25519.ts';
import { bring, closeImportSite, newSite, onDisk, rootFile, signer, v1 } from '../support/import-site.ts';
import { rejection } from '../support/refusal.ts';
import { sampleBundle } from '../support/sample-bundle.ts';
import { newSigner, rootOf, signRoot } from '../support/signed-samples.ts';

after(closeImportSite);

const name = parseSiteName('plant-7');
const now = '2026-01-01T00:00:00.000Z';
const next = newSigner();
/** The successor of the first root: only the new key signs from here on. */
const second = (resetsSequence: boolean): Uint8Array =>
  signRoot(rootOf(2, [next], { resetsSequence }), [signer, next]);

/** A full bundle of this number on a disk. */
function bundle(sequence: number, by: Signer, roots: readonly Uint8Array[]): string {
  const changes = { sequence, prevSequence: 0 };
  return onDisk(sampleBundle([{ repo: 'edge/app', tag: 'v1', image: v1 }], [by], roots, { changes }).files);
}

/** A site that adopted the second root with its first bundle. */
async function rotatedSite(two: Uint8Array): Promise<SiteFolder> {
  const site = await newSite();
  await bring(site, bundle(1, next, [rootFile, two]));
  assert.equal((await site.state()).rootVersion, 2);
  return site;
}

test('M17 M18 another trust that is pinned after a loss is the only one: newer roots of the old trust count no more', async () => {
  const two = second(false);
  const site = await rotatedSite(two);
  unlinkSync(join(site.path, 'state.json'));
  const anew = newSigner();
  const other = signRoot(rootOf(1, [anew]), [anew]);
  await site.pin(name, other, now, 1);
  await rejection('SignatureInvalid', bring(site, bundle(2, next, [])));
  await rejection('RootInvalid', bring(site, bundle(2, next, [rootFile, two])));
  assert.equal((await bring(site, bundle(2, anew, [other]))).state.committedSequence, 2);
});

test('M18 the floor of a lost state stands, also where the newest root resets the sequence', async () => {
  const two = second(true);
  const site = await rotatedSite(two);
  unlinkSync(join(site.path, 'state.json'));
  assert.equal((await site.pin(name, rootFile, now, 3)).rootVersion, 2, 'the newest of the same trust');
  await rejection('Rollback', bring(site, bundle(2, next, [rootFile, two])));
  assert.equal((await bring(site, bundle(4, next, [rootFile, two]))).state.committedSequence, 4);
});

test('M13 where the newest root got lost, the one before it is not believed again', async () => {
  const two = second(false);
  const site = await rotatedSite(two);
  unlinkSync(join(site.path, 'roots', 'root.2.json'));
  await rejection('StateLost', bring(site, bundle(2, signer, [rootFile])));
  await rejection('StateLost', bring(site, bundle(2, next, [rootFile, two])));
  const anew = newSigner();
  await rejection('AlreadyExists', site.pin(name, signRoot(rootOf(3, [anew]), [anew]), now));
  await site.pin(name, two, now);
  await rejection('SignatureInvalid', bring(site, bundle(2, signer, [rootFile])));
  assert.equal((await bring(site, bundle(2, next, [rootFile, two]))).state.committedSequence, 2);
});

test('M13 where all roots got lost, an older one than the state names is not pinned', async () => {
  const two = second(false);
  const site = await rotatedSite(two);
  rmSync(join(site.path, 'roots'), { recursive: true });
  await rejection('NoTrustRoot', bring(site, bundle(2, next, [rootFile, two])));
  await rejection('Rollback', site.pin(name, rootFile, now));
  assert.equal((await site.pin(name, two, now)).committedSequence, 1);
});

test('M05 a site that was pinned while its clock was ahead is pinned once more, as long as nothing was imported', async () => {
  const site = await newSite('2099-01-01T00:00:00.000Z');
  await rejection('ClockImplausible', bring(site, bundle(1, signer, [rootFile])));
  await rejection('BundleExpired', bring(site, bundle(1, signer, [rootFile]), { acceptClock: true }));
  await site.pin(name, rootFile, new Date().toISOString());
  assert.equal((await bring(site, bundle(1, signer, [rootFile]))).state.committedSequence, 1);
  const proven = (await site.state()).maxSeenTime;
  assert.equal((await site.pin(name, rootFile, '1990-01-01T00:00:00.000Z')).maxSeenTime, proven);
});
