import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { openReceipt } from '../../domain/bundle/receipt.ts';
import { parseSiteName } from '../../domain/names/kubernetes-name.ts';
import { parseTag } from '../../domain/names/tag.ts';
import { parsePublicKeyPem } from '../../domain/trust/public-key.ts';
import { SiteFolder } from '../../infra/layout/site-folder.ts';
import { lockSite } from '../../infra/layout/site-lock.ts';
import { verifyEd25519 } from '../../infra/trust/ed25519.ts';
import {
  archiveFile,
  archiveOf,
  bring,
  changed,
  closeImportSite,
  first,
  folder,
  fresh,
  isEmpty,
  newSite,
  old,
  onDisk,
  rootFile,
  second,
  shared,
  signer,
  store,
  v1,
  v2,
} from '../support/import-site.ts';
import { rejection } from '../support/refusal.ts';
import { startRegistryProcess } from '../support/registry-process.ts';
import { sampleBundle } from '../support/sample-bundle.ts';
import { newSigner, rootOf, signRoot } from '../support/signed-samples.ts';

after(closeImportSite);

const powerLoss = new Error('power loss');

/** A site's folder whose power goes away before or after so many of its writes. */
class CutOff extends SiteFolder {
  left: number;

  constructor(path: string, left: number) {
    super(path);
    this.left = left;
  }

  override async writeState(state: Parameters<SiteFolder['writeState']>[0]): Promise<void> {
    await this.#around(() => super.writeState(state));
  }

  override async storeRoot(...root: Parameters<SiteFolder['storeRoot']>): Promise<void> {
    await this.#around(() => super.storeRoot(...root));
  }

  async #around(write: () => Promise<void>): Promise<void> {
    this.#spend();
    await write();
    this.#spend();
  }

  #spend(): void {
    if (this.left-- === 0) throw powerLoss;
  }
}

test('M17 M18 without a pinned trust, or with a lost state, nothing is taken', async () => {
  await rejection('NoTrustRoot', bring(new SiteFolder(join(folder, 'bare')), onDisk(first.files)));
  const site = await newSite();
  unlinkSync(join(site.path, 'state.json'));
  await rejection('StateLost', bring(site, onDisk(first.files)));
  const name = parseSiteName('plant-7');
  await rejection('StateLost', site.pin(name, rootFile, '2026-01-01T00:00:00.000Z'));
  await site.pin(name, rootFile, '2026-01-01T00:00:00.000Z', 1);
  await rejection('Rollback', bring(site, onDisk(first.files)));
});

test('L15 two importers at once: the second is told so', async () => {
  const site = await newSite();
  const unlock = await lockSite(site.path);
  await rejection('AlreadyRunning', lockSite(site.path));
  await unlock();
  await (
    await lockSite(site.path)
  )();
});

test('L15 whenever an importer is killed, exactly one of those that come at once goes on, and keeps the lock as long as it works', async (t) => {
  const site = await newSite();
  const lock = pathToFileURL(join(import.meta.dirname, '../../infra/layout/site-lock.ts')).href;
  const work = `const { lockSite } = await import('${lock}');
    process.on('message', () => setTimeout(() => lockSite('${site.path}')
      .then(() => process.send('has it'), ({ code }) => process.send(code)), Math.random() * 20));
    process.send('ready');`;
  const importers = new Set(
    Array.from({ length: 6 }, () =>
      spawn(process.execPath, ['--input-type=module', '-e', work], {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      }),
    ),
  );
  t.after(() => importers.forEach((importer) => importer.kill('SIGKILL')));
  const said = async (importer: ChildProcess): Promise<unknown> => {
    const [word]: unknown[] = await once(importer, 'message');
    return word;
  };
  await Promise.all([...importers].map(said));
  while (importers.size > 0) {
    const words = await Promise.all(
      [...importers].map((importer) => {
        const word = said(importer);
        importer.send('go');
        return word;
      }),
    );
    const winners = [...importers].filter((_, index) => words[index] === 'has it');
    assert.equal(winners.length, 1, words.join());
    assert.ok(words.every((word) => word === 'has it' || word === 'AlreadyRunning'));
    await rejection('AlreadyRunning', lockSite(site.path));
    for (const winner of winners) {
      winner.kill('SIGKILL');
      await once(winner, 'exit');
      importers.delete(winner);
    }
  }
  await (
    await lockSite(site.path)
  )();
});

test('a dry run says what would happen and writes nothing', async () => {
  const outcome = await bring(await newSite(), onDisk(first.files), { dryRun: true });
  assert.equal(outcome.bundle.acceptance, 'import');
  assert.ok(await isEmpty());
});

test('a bundle, its replay, a delta on it, and the way back that is closed', async () => {
  const site = await newSite();
  const done = await bring(site, onDisk(first.files));
  assert.equal(done.state.committedSequence, 1);
  const key = parsePublicKeyPem(await site.receiptPublicKey());
  const receipt = openReceipt((await site.readReceipt(1)) ?? new Uint8Array(), key, verifyEd25519);
  assert.deepEqual([receipt.sequence, receipt.bundleDigest], [1, first.digest]);
  assert.equal((await bring(site, onDisk(first.files))).bundle.acceptance, 'replay');
  assert.deepEqual(
    second.statement.blobs.map(({ digest }) => digest).sort(),
    [v2.manifest, fresh].map(({ descriptor }) => descriptor.digest).sort(),
    'the config of both images is the same, the shared layer too: a delta carries exactly what is new',
  );
  await bring(
    site,
    archiveFile(await archiveOf(second.files), (tar) => tar),
  );
  const there = await store('edge/other').resolve(parseTag('v2'));
  assert.equal(there?.digest, v2.manifest.descriptor.digest);
  await rejection('Rollback', bring(site, onDisk(first.files)));
});

test('a bundle that is brought again brings what the registry lost meanwhile, and says so; a delta says what it lacks', async () => {
  const [site, empty] = [await newSite(), await startRegistryProcess()];
  try {
    await bring(site, onDisk(first.files));
    const said: string[] = [];
    const report = (line: string): void => void said.push(line);
    assert.equal((await bring(site, onDisk(first.files), { report })).bytesMoved, 0);
    assert.deepEqual(said.splice(0), ['bundle 1 is there already']);
    assert.equal((await bring(site, onDisk(first.files), { report, dryRun: true }, empty)).bytesMoved, 0);
    assert.deepEqual(said.splice(0), ['bundle 1 was there, and 1 image is not any more']);
    const damaged = changed(first, (files) => {
      const [name, bytes] = [...files].find(([file]) => file.endsWith(old.descriptor.digest.slice(7))) ?? [];
      if (name !== undefined) files.set(name, Buffer.from(bytes ?? []).fill(0, 100, 110));
    });
    await rejection('BundleCorrupt', bring(site, onDisk(damaged), {}, empty));
    assert.equal(await store('edge/app', empty).hasBlob(shared.descriptor), false, 'nothing was written');
    assert.equal(await store('edge/app', empty).resolve(parseTag('v1')), undefined);
    const again = await bring(site, onDisk(first.files), { report }, empty);
    assert.ok(again.bytesMoved > 70_000, `${again.bytesMoved} bytes`);
    assert.ok(again.receiptPath?.endsWith('1.json'));
    assert.deepEqual(again.state, await site.state());
    assert.equal(again.state.committedSequence, 1);
    const there = await store('edge/app', empty).resolve(parseTag('v1'));
    assert.equal(there?.digest, v1.manifest.descriptor.digest);
    await bring(site, onDisk(second.files));
  } finally {
    await empty.stop();
  }
  const emptier = await startRegistryProcess();
  try {
    await rejection('BaseMissing', bring(site, onDisk(second.files), {}, emptier));
  } finally {
    await emptier.stop();
  }
});

test('M01 M02 L13 an older state file makes a replay, never damage', async () => {
  const site = await newSite();
  const before = await site.state();
  await bring(site, onDisk(first.files));
  await site.writeState(before);
  assert.equal((await bring(site, onDisk(first.files))).state.committedSequence, 1);
});

test('M12 a rotated root is stored before it is used', async () => {
  const [next, site] = [newSigner(), await newSite()];
  const two = signRoot(rootOf(2, [next]), [signer, next]);
  const rotated = sampleBundle([{ repo: 'edge/app', tag: 'v1', image: v1 }], [next], [rootFile, two]);
  const broken = changed(rotated, (files) => files.delete('index.json'));
  await rejection('LayoutInvalid', bring(site, onDisk(broken)));
  assert.equal((await site.root()).version, 2);
  assert.equal((await bring(site, onDisk(rotated.files))).state.rootVersion, 2);
  await rejection('SignatureInvalid', bring(site, onDisk(first.files)));
});

test('a delta is refused before the first write where the registry lost its base', async () => {
  const [site, other] = [await newSite(), await startRegistryProcess()];
  try {
    await bring(site, onDisk(first.files));
    await rejection('BaseMissing', bring(site, onDisk(second.files), {}, other));
    const catalog = await fetch(`http://${other.domain}/v2/_catalog`);
    assert.deepEqual(await catalog.json(), { repositories: [] });
  } finally {
    await other.stop();
  }
});

test('M18 a state that cannot be read is a lost one: it is pinned again with a floor, and not without', async () => {
  const [site, name] = [await newSite(), parseSiteName('plant-7')];
  const [key, now] = [await site.receiptPublicKey(), '2026-01-01T00:00:00.000Z'];
  await bring(site, onDisk(first.files));
  writeFileSync(join(site.path, 'state.json'), '{');
  await rejection('StateLost', bring(site, onDisk(second.files)));
  await rejection('StateLost', site.pin(name, rootFile, now));
  assert.equal((await site.pin(name, rootFile, now, 1)).committedSequence, 1);
  assert.equal(await site.receiptPublicKey(), key, 'the hub knows that key');
  await rejection('Rollback', bring(site, onDisk(first.files)));
});

test('M17 a pin that was cut off before or after any of its writes is ended by the same one, and stays a first one', async () => {
  const [name, now] = [parseSiteName('plant-7'), '2026-01-01T00:00:00.000Z'];
  for (let left = 0; ; left += 1) {
    const path = join(folder, `cut-off-pin-${left}`);
    const site = new CutOff(path, left);
    const cutOff = await site.pin(name, rootFile, now).catch((error: unknown) => error);
    if (cutOff !== powerLoss) return assert.equal(left, 4);
    const after = new SiteFolder(path);
    assert.equal((await after.pin(name, rootFile, now)).committedSequence, 0);
    await rejection('AlreadyExists', after.pin(parseSiteName('plant-8'), rootFile, now));
    await bring(after, onDisk(first.files));
    unlinkSync(join(path, 'state.json'));
    await rejection('StateLost', after.pin(name, rootFile, now));
  }
});
