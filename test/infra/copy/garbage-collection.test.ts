import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../../domain/failure.ts';
import { parseTag } from '../../../domain/names/tag.ts';
import type { RepositoryEndpoint } from '../../../infra/copy/engine.ts';
import { startRegistryProcess, type RegistryProcess } from '../../support/registry-process.ts';
import { pushSample, randomBlob, sampleImage } from '../../support/sample-image.ts';
import { TestEngine } from './real-registries.ts';

// The measured race of faults.md, section 4, shortened; IMAGEFERRY_GC_IMAGES runs it as long as you like.
const images = Number(process.env['IMAGEFERRY_GC_IMAGES'] ?? 24);
// IMAGEFERRY_GC_CACHE=off: the registry without its blob descriptor cache, which goes on telling of blobs that are gone.
const cache = process.env['IMAGEFERRY_GC_CACHE'] !== 'off';
// Seconds that the target declares; raised where a collection turns out to take longer, as on a busy machine.
const settleAtFirst = Number(process.env['IMAGEFERRY_GC_SETTLE'] ?? 2);
const lanes = images > 100 ? 100 : 8;
/** Images per registry: a collection takes longer the more a registry holds, and every copy waits that long. */
const batchSize = 100;
/** Races in which a collection outlasted what was declared; such a race shows nothing, and is run again. */
const maxRaces = 4;
let upstream: RegistryProcess;
let own: TestEngine;

before(async () => {
  upstream = await startRegistryProcess();
  own = new TestEngine();
  const store = own.store(own.endpoint(upstream.domain, 'gc/app'));
  for (let n = 0; n < images; n += 1) {
    const { blobs, manifest } = sampleImage([randomBlob(2000), randomBlob(2000), randomBlob(2000)]);
    await pushSample(store, blobs, [manifest], `v${n}`);
  }
});
after(async () => {
  await own.close();
  await upstream.stop();
});

for (const deleteUntagged of [false, true]) {
  const mode = deleteUntagged ? 'that drops untagged manifests' : 'of unreferenced blobs';
  test(`I10 I11 a garbage collection ${mode}, racing every copy, leaves no tag on a broken image`, async (t) => {
    let settle = settleAtFirst;
    const all = { placed: 0, collections: 0 };
    for (let first = 0; first < images; first += batchSize) {
      const names = Array.from(
        { length: Math.min(batchSize, images - first) },
        (_none, n) => `v${first + n}`,
      );
      const race = await decisiveRace(names, deleteUntagged, settle);
      assert.deepEqual(race.broken, []);
      // Shorter again where the machine has become quiet.
      settle = Math.max(settleAtFirst, Math.min(race.settle, settleFor(race.longestMs)));
      all.placed += race.placed;
      all.collections += race.collections;
      t.diagnostic(
        `${all.placed} of ${first + names.length} images placed, ${all.collections} collections, settled for ${race.settle} s; ` +
          `the longest of the last took ${Math.round(race.longestMs)} ms`,
      );
    }
  });
}

/** Seconds to declare where the longest collection took `ms`. */
const settleFor = (ms: number): number => Math.ceil((ms / 1000) * 3);

/** Races until no collection outlasted what the target declared. */
async function decisiveRace(names: readonly string[], deleteUntagged: boolean, declared: number) {
  let settle = declared;
  for (let race = 1; race <= maxRaces; race += 1) {
    const result = await runRace(names, deleteUntagged, settle);
    if (result.longestMs <= settle * 1000) return { ...result, settle };
    settle = settleFor(result.longestMs);
  }
  return assert.fail(`collections outlasted what was declared in ${maxRaces} races: nothing was shown`);
}

/** Copies images into a new registry while its collections run one after the other, and tells which are broken at the end. */
async function runRace(names: readonly string[], deleteUntagged: boolean, settle: number) {
  const edge = await startRegistryProcess({ cache });
  try {
    const source = own.endpoint(upstream.domain, 'gc/app');
    const target = own.endpoint(edge.domain, 'gc/app', {
      gcSettleSeconds: settle,
      gcDeletesUntagged: deleteUntagged,
    });
    const done = new AbortController();
    const collecting = collectUntil(edge, done.signal, deleteUntagged);
    const placed = await copyAll(names, source, target).finally(() => done.abort());
    const { longestMs, collections } = await collecting;
    const kept = (await own.engine.listTags(target)).filter((name) => !name.startsWith('imageferry-'));
    assert.ok(kept.length >= placed && placed >= names.length / 2, `${placed} placed, ${kept.length} tags`);
    return { broken: await brokenOf(kept, target), placed, longestMs, collections };
  } finally {
    await edge.stop();
  }
}

/** Resolves with how many were placed; the others were given up with the code for it. */
async function copyAll(
  names: readonly string[],
  source: RepositoryEndpoint,
  target: RepositoryEndpoint,
): Promise<number> {
  const waiting = [...names];
  let placed = 0;
  const lane = async (): Promise<void> => {
    for (let tag = waiting.pop(); tag !== undefined; tag = waiting.pop()) {
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
  return placed;
}

async function brokenOf(tags: readonly string[], target: RepositoryEndpoint): Promise<readonly string[]> {
  const broken: string[] = [];
  for (const tag of tags) {
    await own
      .root(target, tag)
      .then((root) => own.engine.verifyGraph(target, root.digest, { deep: true }))
      .catch((error: unknown) => broken.push(`${tag}: ${String(error)}`));
  }
  return broken;
}

/** Collects until told to stop; resolves with how often, and with the milliseconds of the longest collection. */
async function collectUntil(edge: RegistryProcess, signal: AbortSignal, deleteUntagged: boolean) {
  let [longestMs, collections] = [0, 0];
  while (!signal.aborted) {
    const started = performance.now();
    // Before the first upload there is no repository yet, and it says so with an error.
    await edge.collectGarbage(deleteUntagged).catch(() => undefined);
    longestMs = Math.max(longestMs, performance.now() - started);
    collections += 1;
    await sleep(300);
  }
  return { longestMs, collections };
}
