import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { FailureCode } from '../../domain/failure.ts';
import { parseSiteName } from '../../domain/names/kubernetes-name.ts';
import { tarHeader } from '../../infra/layout/tar-plan.ts';
import {
  archiveFile,
  archiveOf,
  bring,
  changed,
  first,
  folder,
  isEmpty,
  newSite,
  nextCount,
  onDisk,
  rootFile,
  second,
  shared,
  signer,
  v1,
  closeImportSite,
} from '../support/import-site.ts';
import { rejection } from '../support/refusal.ts';
import { sampleBundle } from '../support/sample-bundle.ts';
import { randomBlob, sampleImage } from '../support/sample-image.ts';
import { newSigner, rootOf, signRoot } from '../support/signed-samples.ts';

after(closeImportSite);

const blobName = `blobs/sha256/${shared.descriptor.digest.slice(7)}`;
const flip = (bytes: Uint8Array, at: number): Uint8Array =>
  bytes.map((byte, index) => (index === at ? byte ^ 1 : byte));

/** The last bit of a layer that is large enough for a crew (`hash-crew.ts`). */
function largeAndFlipped(): ReadonlyMap<string, Uint8Array> {
  const layer = randomBlob(70_000_000);
  const large = sampleBundle(
    [{ repo: 'edge/app', tag: 'v1', image: sampleImage([shared, layer]) }],
    [signer],
    [rootFile],
  );
  layer.bytes.set([(layer.bytes.at(-1) ?? 0) ^ 1], layer.bytes.byteLength - 1);
  return large.files;
}

const refused: readonly (readonly [string, () => string | Promise<string>, FailureCode])[] = [
  [
    'L01 a bundle signed by a stranger',
    () => onDisk(sampleBundle([{ repo: 'edge/app', tag: 'v1', image: v1 }], [newSigner()], [rootFile]).files),
    'SignatureInvalid',
  ],
  ['L02 a missing blob', () => onDisk(changed(first, (files) => files.delete(blobName))), 'BundleIncomplete'],
  [
    'L03 a flipped bit in a blob',
    () => onDisk(changed(first, (files) => files.set(blobName, flip(shared.bytes, 12_345)))),
    'BundleCorrupt',
  ],
  [
    'L03 a blob that is longer',
    () =>
      onDisk(changed(first, (files) => files.set(blobName, Buffer.concat([shared.bytes, Buffer.from('x')])))),
    'BundleCorrupt',
  ],
  [
    'L03 a flipped bit in a bundle that is checked by several threads',
    () => onDisk(largeAndFlipped()),
    'BundleCorrupt',
  ],
  [
    'L03 a flipped bit in an archive that is checked by several threads',
    async () => archiveFile(await archiveOf(largeAndFlipped()), (tar) => tar),
    'BundleCorrupt',
  ],
  [
    'L05 a blob that is a symbolic link',
    () => {
      const path = onDisk(first.files);
      unlinkSync(join(path, blobName));
      writeFileSync(join(folder, 'elsewhere'), shared.bytes);
      symlinkSync(join(folder, 'elsewhere'), join(path, blobName));
      return path;
    },
    'NotRegularFile',
  ],
  [
    'L05 a blob that is a hard link',
    () => {
      const path = onDisk(first.files);
      linkSync(join(path, blobName), join(folder, `hard-${nextCount()}`));
      return path;
    },
    'NotRegularFile',
  ],
  [
    'L08 a blob that is a FIFO',
    () => {
      const path = onDisk(first.files);
      unlinkSync(join(path, blobName));
      execFileSync('mkfifo', [join(path, blobName)]);
      return path;
    },
    'NotRegularFile',
  ],
  [
    'L05 a blob that is a directory',
    () => {
      const path = onDisk(first.files);
      unlinkSync(join(path, blobName));
      mkdirSync(join(path, blobName));
      return path;
    },
    'NotRegularFile',
  ],
  [
    'L06 a folder that is a symbolic link',
    () => {
      const path = onDisk(first.files);
      const elsewhere = join(folder, `moved-${nextCount()}`);
      execFileSync('mv', [join(path, 'blobs'), elsewhere]);
      symlinkSync(elsewhere, join(path, 'blobs'));
      return path;
    },
    'NotRegularFile',
  ],
  [
    'L07 names that differ by case',
    () => onDisk(changed(first, (files) => files.set('Index.json', Buffer.from('{}')))),
    'BundleCorrupt',
  ],
  ['L10 no index.json', () => onDisk(changed(first, (files) => files.delete('index.json'))), 'LayoutInvalid'],
  [
    'L10 another layout version',
    () =>
      onDisk(
        changed(first, (files) => files.set('oci-layout', Buffer.from('{"imageLayoutVersion":"2.0.0"}'))),
      ),
    'LayoutInvalid',
  ],
  [
    'L10 an index.json that contradicts the signed list',
    () =>
      onDisk(
        changed(first, (files) =>
          files.set('index.json', second.files.get('index.json') ?? new Uint8Array()),
        ),
      ),
    'LayoutInvalid',
  ],
  [
    'L17 a manifest of 5 MiB',
    () => onDisk(changed(first, (files) => files.set('manifest.dsse.json', new Uint8Array(5 << 20)))),
    'BundleTooLarge',
  ],
  [
    'L16 a bundle for another site',
    () =>
      onDisk(
        sampleBundle([{ repo: 'edge/app', tag: 'v1', image: v1 }], [signer], [rootFile], {
          changes: { site: parseSiteName('plant-8') },
        }).files,
      ),
    'WrongAudience',
  ],
  ['M03 a delta on a base that never came', () => onDisk(second.files), 'BaseMissing'],
  [
    'M11 a root that only its own keys signed',
    () => {
      const thief = newSigner();
      const stolen = signRoot(rootOf(2, [thief]), [thief]);
      return onDisk(
        sampleBundle([{ repo: 'edge/app', tag: 'v1', image: v1 }], [thief], [rootFile, stolen]).files,
      );
    },
    'RootInvalid',
  ],
  [
    'L20 an archive with a member twice',
    async () =>
      archiveFile(await archiveOf(first.files), (tar) => Buffer.concat([tar.subarray(0, 512 + 1024), tar])),
    'ArchiveInvalid',
  ],
  [
    'L20 an archive with something after its end',
    async () => archiveFile(await archiveOf(first.files), (tar) => Buffer.concat([tar, tar])),
    'ArchiveInvalid',
  ],
  [
    'L20 an archive that is cut',
    async () => archiveFile(await archiveOf(first.files), (tar) => tar.subarray(0, tar.length - 2048)),
    'ArchiveInvalid',
  ],
  [
    'L20 an archive whose names start with ./',
    async () =>
      archiveFile(await archiveOf(first.files), (tar) =>
        Buffer.concat([tarHeader({ name: './index.json', size: 0 }), tar]),
      ),
    'ArchiveInvalid',
  ],
  [
    'L20 an archive made by tar itself',
    () => {
      const path = onDisk(first.files);
      execFileSync('tar', ['-cf', `${path}.tar`, '-C', path, '.']);
      return `${path}.tar`;
    },
    'ArchiveInvalid',
  ],
];

for (const [why, make, code] of refused) {
  test(`${why} is refused (${code}), and nothing is written`, async () => {
    const site = await newSite();
    await rejection(code, bring(site, await make()));
    assert.ok(await isEmpty());
    assert.equal((await site.state()).committedSequence, 0);
  });
}
