import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseTag } from '../../domain/names/tag.ts';
import { verifyGraph } from '../../infra/copy/verify-graph.ts';
import {
  closeImportSite,
  newSite,
  onDisk,
  registry,
  rootFile,
  signer,
  store,
} from '../support/import-site.ts';
import { sampleBundle, type SampleBundleImage } from '../support/sample-bundle.ts';
import { randomBlob, sampleImage } from '../support/sample-image.ts';

after(closeImportSite);

/** Kills in all. `IMAGEFERRY_KILLS=1000 npm test -- test/faults/bundle-killed.test.ts` is the long run. */
const kills = Number(process.env['IMAGEFERRY_KILLS'] ?? '3');
const command = join(import.meta.dirname, '../../worker/imageferry.ts');

/** Runs an import and kills it after so many milliseconds; true where it ended by itself before. */
async function importFor(ms: number, path: string, state: string): Promise<boolean> {
  const args = ['bundle', 'import', path, '--registry', registry.domain, '--state', state, '--quiet'];
  const child = spawn(process.execPath, [command, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  let trouble = '';
  child.stderr.on('data', (chunk: Buffer) => (trouble += chunk.toString('utf8')));
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const first = await Promise.race([ended, sleep(ms, 'late' as const)]);
  if (first !== 'late') {
    assert.equal(first, 0, trouble);
    return true;
  }
  child.kill('SIGKILL');
  await ended;
  return false;
}

/** A tag is there only with all its content, and is there where the sequence says so. */
async function checkPlace({ repo, tag, image }: SampleBundleImage, committed: boolean): Promise<void> {
  const there = await store(repo).resolve(parseTag(tag));
  if (committed) assert.equal(there?.digest, image.manifest.descriptor.digest);
  if (there !== undefined) await verifyGraph(store(repo), there.digest, { deep: true });
}

test(`L11 killed ${kills} times during imports: the sequence is never ahead of the content, every rerun converges`, async () => {
  for (let [killed, round] = [0, 0]; killed < kills; round += 1) {
    const site = await newSite();
    const images = Array.from({ length: 3 }, (_, at) => ({
      repo: `kill/${round}-${at}`,
      tag: 'v1',
      image: sampleImage([randomBlob(1_500_000), randomBlob(200_000)]),
    }));
    const path = onDisk(sampleBundle(images, [signer], [rootFile]).files);
    for (let done = false; !done;) {
      done = await importFor(150 + Math.random() * 900, path, site.path);
      if (!done) killed += 1;
      const { committedSequence } = await site.state();
      assert.ok(!done || committedSequence === 1);
      for (const image of images) await checkPlace(image, committedSequence === 1);
    }
  }
});
