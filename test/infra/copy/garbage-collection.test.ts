import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../../domain/failure.ts';
import { parseTag } from '../../../domain/names/tag.ts';
import { startRegistryProcess, type RegistryProcess } from '../../support/registry-process.ts';
import { pushSample, randomBlob, sampleImage } from '../../support/sample-image.ts';
import { TestEngine } from './real-registries.ts';

// The measured race of faults.md, section 4, shortened; IMAGEFERRY_GC_IMAGES runs it as long as you like.
const images = Number(process.env['IMAGEFERRY_GC_IMAGES'] ?? 24);
// IMAGEFERRY_GC_CACHE=off: the registry without its blob descriptor cache, which goes on telling of blobs that are gone.
const cache = process.env['IMAGEFERRY_GC_CACHE'] !== 'off';
// Seconds that the target declares; raised where a collection turns out to take longer, as on a busy machine.
const settleAtFirst = Number(process.env['IMAGEFERRY_GC_SETTLE'] ?? 2);
const lanes = images > 100 ? 32 : 8;
/** Races in which a collection outlasted what was declared; such a race shows nothing, and is run again. */
const maxRaces = 4;
let upstream: RegistryProcess;
let edge: RegistryProcess;
let own: TestEngine;

before(async () => {
  [upstream, edge] = await Promise.all([startRegistryProcess(), startRegistryProcess({ cache })]);
  own = new TestEngine();
  const store = own.store(own.endpoint(upstream.domain, 'gc/app'));
  for (let n = 0; n < images; n += 1) {
    const { blobs, manifest } = sampleImage([randomBlob(2000), randomBlob(2000), randomBlob(2000)]);
    await pushSample(store, blobs, [manifest], `v${n}`);
  }
});
after(async () => {
  await own.close();
  await Promise.all([upstream.stop(), edge.stop()]);
});

for (const deleteUntagged of [false, true]) {
  const mode = deleteUntagged ? 'that drops untagged manifests' : 'of unreferenced blobs';
  test(`I10 I11 a garbage collection ${mode}, racing every copy, leaves no tag on a broken image`, async (t) => {
    let settle = settleAtFirst;
    for (let race = 1; race <= maxRaces; race += 1) {
      const { broken, placed, longestMs } = await runRace(deleteUntagged, race, settle);
      t.diagnostic(
        `${placed} images, settled for ${settle} s; the longest collection took ${Math.round(longestMs)} ms`,
      );
      if (longestMs <= settle * 1000) return assert.deepEqual(broken, []);
      settle = Math.ceil((longestMs / 1000) * 3);
    }
    return assert.fail(`collections outlasted what was declared in ${maxRaces} races: nothing was shown`);
  });
}

/** Copies all images while collections run one after the other, and tells which of them are broken at the end. */
async function runRace(deleteUntagged: boolean, race: number, settle: number) {
  const source = own.endpoint(upstream.domain, 'gc/app');
  const target = own.endpoint(edge.domain, `gc/${deleteUntagged ? 'untagged' : 'unreferenced'}${race}`, {
    gcSettleSeconds: settle,
    gcDeletesUntagged: deleteUntagged,
  });
  const done = new AbortController();
  const collecting = collectUntil(done.signal, deleteUntagged);
  const tags = Array.from({ length: images }, (_none, n) => `v${n}`);
  let placed = 0;
  const lane = async (): Promise<void> => {
    for (let tag = tags.pop(); tag !== undefined; tag = tags.pop()) {
      const root = await own.root(source, tag);
      try {
        await own.engine.copy({ source, root, target, tag: parseTag(tag) });
        placed += 1;
      } catch (error) {
        assert.ok(error instanceof Failure && error.code === 'DestinationGC', String(error));
      }
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  done.abort();
  const longestMs = await collecting;
  const kept = await own.engine.listTags(target);
  assert.ok(kept.length >= placed && placed >= images / 2, `${placed} placed, ${kept.length} tags`);
  const broken: string[] = [];
  for (const tag of kept.filter((name) => !name.startsWith('imageferry-'))) {
    await own
      .root(target, tag)
      .then((root) => own.engine.verifyGraph(target, root.digest, { deep: true }))
      .catch((error: unknown) => broken.push(`${tag}: ${String(error)}`));
  }
  return { broken, placed, longestMs };
}

/** Milliseconds of the longest collection. */
async function collectUntil(signal: AbortSignal, deleteUntagged: boolean): Promise<number> {
  let longestMs = 0;
  while (!signal.aborted) {
    const started = performance.now();
    // Before the first upload there is no repository yet, and it says so with an error.
    await edge.collectGarbage(deleteUntagged).catch(() => undefined);
    longestMs = Math.max(longestMs, performance.now() - started);
    await sleep(300);
  }
  return longestMs;
}
