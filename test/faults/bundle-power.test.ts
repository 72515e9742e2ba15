import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parseTag } from '../../domain/names/tag.ts';
import { importBundle } from '../../infra/bundle/import-bundle.ts';
import { verifyGraph } from '../../infra/copy/verify-graph.ts';
import type { BundleMedium } from '../../infra/layout/bundle-medium.ts';
import { mediaFailure } from '../../infra/disk/media-failure.ts';
import { openBundleMedium } from '../../infra/layout/open-medium.ts';
import { SiteFolder } from '../../infra/layout/site-folder.ts';
import {
  bring,
  closeImportSite,
  first,
  folder,
  newSite,
  nextCount,
  onDisk,
  registry,
  second,
  store,
  v2,
} from '../support/import-site.ts';
import { rejection } from '../support/refusal.ts';

after(closeImportSite);

/** A site whose folder is kept as it was before each write to it: what a power loss may leave. */
class FailingPower extends SiteFolder {
  readonly kept: string[] = [];

  #keep(): void {
    const copy = join(folder, `power-${nextCount()}`);
    cpSync(this.path, copy, { recursive: true });
    this.kept.push(copy);
  }

  override async writeState(state: Parameters<SiteFolder['writeState']>[0]): Promise<void> {
    this.#keep();
    await super.writeState(state);
    this.#keep();
  }

  override async writeReceipt(sequence: number, bytes: Uint8Array): Promise<string> {
    this.#keep();
    return super.writeReceipt(sequence, bytes);
  }
}

test('L13 power lost before or after any write to a site’s folder: an import that is run again converges', async () => {
  const site = new FailingPower((await newSite()).path);
  await bring(site, onDisk(first.files));
  await bring(site, onDisk(second.files));
  assert.ok(site.kept.length >= 10, `${site.kept.length} moments`);
  for (const moment of site.kept) {
    const after = new SiteFolder(moment);
    const { committedSequence } = await after.state();
    if (committedSequence < 1) await bring(after, onDisk(first.files));
    await bring(after, onDisk(second.files));
    assert.equal((await after.state()).committedSequence, 2);
    assert.ok((await after.readReceipt(2)) !== undefined, 'the receipt is there as well');
    const there = await store('edge/other').resolve(parseTag('v2'));
    assert.equal(there?.digest, v2.manifest.descriptor.digest);
  }
});

for (const system of ['EIO', 'ENOENT', 'ENODEV']) {
  test(`L18 the medium is pulled out while it is read (${system}): a coded failure, and the next import goes on`, async () => {
    const site = await newSite();
    const path = onDisk(first.files);
    const medium = await openBundleMedium(path);
    const reads = first.statement.blobs.length;
    let left = Number.POSITIVE_INFINITY;
    /** Reads all while there are reads left; then no more than the first bytes, and fails. */
    const pull = async <T>(name: string, read: (end?: number) => Promise<T>): Promise<T> => {
      left -= 1;
      if (left >= 0) return read();
      await read(100).catch(() => undefined);
      throw mediaFailure(Object.assign(new Error('gone'), { code: system }), name);
    };
    const pulled: BundleMedium = {
      label: medium.label,
      files: medium.files,
      close: () => medium.close(),
      read: (name, from, sink, signal) =>
        pull(name, (end) =>
          medium.read(name, from, end === undefined ? sink : (chunk) => sink(chunk.subarray(0, end)), signal),
        ),
      withFile: (name, use) =>
        pull(name, (end) => medium.withFile(name, (part) => use({ ...part, length: end ?? part.length }))),
    };
    const target = { medium: pulled, folder: site, repository: (path: string) => store(path) };
    try {
      for (const until of [0, 2, reads + 4]) {
        left = until;
        await rejection(
          'MediaError',
          importBundle(target, { now: Date.now, signal: AbortSignal.timeout(60_000) }),
        );
        assert.equal((await site.state()).committedSequence, 0);
      }
      left = Number.POSITIVE_INFINITY;
      await importBundle(target, { now: Date.now });
    } finally {
      await medium.close();
    }
    assert.equal((await site.state()).committedSequence, 1);
    await verifyGraph(store('edge/app'), first.statement.images[0]?.digest ?? assert.fail(), { deep: true });
  });
}

/** Runs a script where folders can be mounted without touching the machine; false where that is not allowed. */
const mayMount = spawnSync('unshare', ['-m', 'true']).status === 0;

test(
  'L12 a state volume that is full: a coded failure, the old state whole; with space again the import goes on',
  { skip: mayMount ? false : 'needs the right to mount' },
  async () => {
    const site = await newSite();
    const bundle = onDisk(first.files);
    const command = join(import.meta.dirname, '../../worker/imageferry.ts');
    const bringIt = `"${process.execPath}" "${command}" bundle import "${bundle}" --registry ${registry.domain} --state /mnt --json`;
    const script = [
      'mount -t tmpfs -o size=1m none /mnt',
      `cp -r "${site.path}/." /mnt`,
      'cp /mnt/state.json /tmp/imageferry-state-before',
      'dd if=/dev/zero of=/mnt/filler bs=1k 2>/dev/null',
      `${bringIt}; echo "first $?"`,
      `cmp /mnt/state.json /tmp/imageferry-state-before && echo same`,
      'rm /mnt/filler',
      `${bringIt}; echo "second $?"`,
      `cp -r /mnt/. "${site.path}"`,
    ];
    const name = `/tmp/imageferry-state-before-${process.pid}`;
    const text = script.join('\n').replaceAll('/tmp/imageferry-state-before', name);
    const output = execFileSync('unshare', ['-m', 'sh', '-c', text], { encoding: 'utf8' });
    rmSync(name, { force: true });
    assert.match(output, /"code":"DiskFull"[\s\S]*first 75[\s\S]*same[\s\S]*second 0/, output);
    assert.match(readFileSync(join(site.path, 'state.json'), 'utf8'), /"committedSequence":1/);
  },
);
