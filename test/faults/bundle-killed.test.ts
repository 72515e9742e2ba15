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

/** A tag is there only with all its content, and is there where the sequence says so. Resolves with whether it is. */
async function checkPlace({ repo, tag, image }: SampleBundleImage, committed: boolean): Promise<boolean> {
  const there = await store(repo).resolve(parseTag(tag));
  if (committed) assert.equal(there?.digest, image.manifest.descriptor.digest);
  if (there !== undefined) await verifyGraph(store(repo), there.digest, { deep: true });
  return there !== undefined;
}

/** Milliseconds until the next kill: anywhere in an import as long as the last that nobody ended, or longer after each kill. */
class KillClock {
  #span = 1000;

  next(): number {
    return this.#span * (0.2 + Math.random() * 0.9);
  }

  saw(ms: number, done: boolean): void {
    this.#span = done ? ms : this.#span * 1.05;
  }
}

test(`L11 killed ${kills} times during imports: the sequence is never ahead of the content, every rerun converges`, async (t) => {
  const clock = new KillClock();
  const seen = { killed: 0, begun: 0, between: 0, ended: 0 };
  for (let round = 0; seen.killed < kills; round += 1) {
    const site = await newSite();
    const images = Array.from({ length: 3 }, (_, at) => ({
      repo: `kill/${round}-${at}`,
      tag: 'v1',
      image: sampleImage([randomBlob(1_500_000), randomBlob(200_000)]),
    }));
    const path = onDisk(sampleBundle(images, [signer], [rootFile]).files);
    for (let done = false; !done;) {
      const began = performance.now();
      done = await importFor(clock.next(), path, site.path);
      const { committedSequence, pending } = await site.state();
      clock.saw(performance.now() - began, done);
      assert.ok(!done || committedSequence === 1);
      const places = await Promise.all(images.map((image) => checkPlace(image, committedSequence === 1)));
      seen.killed += done ? 0 : 1;
      seen.ended += done ? 1 : 0;
      seen.begun += !done && pending !== undefined ? 1 : 0;
      seen.between += !done && places.includes(true) && places.includes(false) ? 1 : 0;
    }
  }
  t.diagnostic(
    `${seen.killed} kills, ${seen.begun} after the first write, ${seen.between} between two tags; ${seen.ended} imports ended`,
  );
});
