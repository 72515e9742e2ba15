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
// What the target declares: longer than one collection takes. On a busy machine give it more.
const settle = Number(process.env['IMAGEFERRY_GC_SETTLE'] ?? 2);
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
    const source = own.endpoint(upstream.domain, 'gc/app');
    const target = own.endpoint(edge.domain, `gc/${deleteUntagged ? 'untagged' : 'unreferenced'}`, {
      gcSettleSeconds: settle,
      gcDeletesUntagged: deleteUntagged,
    });
    const done = new AbortController();
    let longestMs = 0;
    const collecting = (async () => {
      while (!done.signal.aborted) {
        const started = performance.now();
        // Before the first upload there is no repository yet, and it says so with an error.
        await edge.collectGarbage(deleteUntagged).catch(() => undefined);
        longestMs = Math.max(longestMs, performance.now() - started);
        await sleep(300);
      }
    })();
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
    await Promise.all(Array.from({ length: 8 }, lane));
    done.abort();
    await collecting;
    const kept = await own.engine.listTags(target);
    assert.ok(kept.length >= placed && placed >= images / 2, `${placed} placed, ${kept.length} tags`);
    const broken: string[] = [];
    for (const tag of kept.filter((name) => !name.startsWith('imageferry-'))) {
      await own
        .root(target, tag)
        .then((root) => own.engine.verifyGraph(target, root.digest, { deep: true }))
        .catch((error: unknown) => broken.push(`${tag}: ${String(error)}`));
    }
    // A collection that outlasts what was declared may win: then this run has shown nothing.
    const outlasted = longestMs > settle * 1000;
    if (outlasted) t.diagnostic(`a collection took ${Math.round(longestMs)} ms; raise IMAGEFERRY_GC_SETTLE`);
    if (!outlasted) assert.deepEqual(broken, []);
    else if (broken.length > 0) t.skip(`collections outlasted gcSettleSeconds: ${broken.length} tags lost`);
  });
}
