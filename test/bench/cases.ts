import { fill, largeBytes, sourceOf, type Bench, type Case } from './bench-case.ts';
import { contest } from './contest.ts';
import { incomplete } from './ground.ts';
import { measure } from './measure.ts';
import { limitCheck, ratioCheck, type CaseResult } from './result.ts';
import { seedManyTags, seedOneLayer, seedTwentyImages } from './seed.ts';
import { imageSides, ours, repositorySides, type Place } from './sides.ts';

const manyTags = (bench: Bench): number => Math.max(20, Math.round(1000 * bench.scale));

async function oneLayer(bench: Bench): Promise<CaseResult> {
  const source = sourceOf(bench, 'one/layer');
  await seedOneLayer(source.domain, source.path, largeBytes(bench));
  const sides = await contest({
    ...bench,
    source,
    targetPath: 'copy/layer',
    sides: (target) => imageSides(bench.peers, bench.ground.folder, source, target, 'v1'),
  });
  return {
    name: 'one-layer',
    what: `one image with a layer of ${largeBytes(bench)} bytes, cold`,
    sides,
    checks: [ratioCheck(sides, 'wallSeconds', 1), ratioCheck(sides, 'cpuSeconds', 1, true)],
  };
}

async function twentyImages(bench: Bench): Promise<CaseResult> {
  const source = sourceOf(bench, 'twenty/apps');
  const unique = await seedTwentyImages(source.domain, source.path, 0);
  const sides = await contest({
    ...bench,
    source,
    targetPath: 'copy/apps',
    sides: (target) => repositorySides(bench.peers, bench.ground.folder, source, target),
  });
  const bytes = await countedRun(bench, source, 'copy/apps');
  return {
    name: 'twenty-images',
    what: '20 images, 200 layers, shared bases, cold',
    sides,
    checks: [
      ratioCheck(sides, 'wallSeconds', 0.7),
      limitCheck('bytes read upstream ÷ unique bytes', bytes.received / unique, 1.01),
      limitCheck('bytes sent ÷ unique bytes', bytes.sent / unique, 1.01),
      ...(await requestChecks(bench, source, bytes)),
    ],
  };
}

async function oneLayerChanged(bench: Bench): Promise<CaseResult> {
  const [before, after] = [sourceOf(bench, 'before/apps'), sourceOf(bench, 'after/apps')];
  await seedTwentyImages(before.domain, before.path, 0);
  await seedTwentyImages(after.domain, after.path, 1);
  const prepare = (target: Place): Promise<void> => fill(bench, before, target);
  const sides = await contest({
    ...bench,
    source: after,
    targetPath: 'copy/apps',
    prepare,
    sides: (target) => repositorySides(bench.peers, bench.ground.folder, after, target),
  });
  // The fifth layer of each, as seeded: 600 kB and up to a fifth more.
  const changed = Array.from(
    { length: 20 },
    (_none, image) => Math.round(600e3 * (1 + (image % 3) / 10)) + image,
  );
  const bytes = await countedRun(bench, after, 'copy/apps', prepare);
  const wanted = changed.reduce((sum, size) => sum + size, 0);
  return {
    name: 'one-layer-changed',
    what: 'the same 20 images, one layer of each changed',
    sides,
    checks: [
      ratioCheck(sides, 'wallSeconds', 0.7),
      limitCheck('bytes sent ÷ changed bytes', bytes.sent / wanted, 1.05),
      ...(await requestChecks(bench, after, bytes, prepare)),
    ],
  };
}

/** `oneImage`: every tag is the same image; else each is an image of its own over a shared base. */
function newTags(oneImage: boolean) {
  return async (bench: Bench): Promise<CaseResult> => {
    const source = sourceOf(bench, oneImage ? 'same-image/many' : 'fresh/many');
    await seedManyTags(source.domain, source.path, manyTags(bench), 0, oneImage);
    const sides = await contest({
      ...bench,
      source,
      targetPath: 'copy/many',
      sides: (target) => repositorySides(bench.peers, bench.ground.folder, source, target),
    });
    const counted = await countedRun(bench, source, 'copy/many');
    return {
      name: oneImage ? 'new-tags-one-image' : 'new-tags',
      what: `${manyTags(bench)} new tags of ${oneImage ? 'one small image' : 'small images, each its own'}`,
      sides,
      checks: [ratioCheck(sides, 'wallSeconds', 0.3), ...(await requestChecks(bench, source, counted))],
    };
  };
}

/** `delayMs` is the round trip, half of it each way. */
function unchangedTags(delayMs: number) {
  return async (bench: Bench): Promise<CaseResult> => {
    const source = sourceOf(bench, 'same/many');
    await seedManyTags(source.domain, source.path, manyTags(bench));
    const far = delayMs > 0;
    const shown = far ? (await bench.ground.steadyLink(source.domain, delayMs / 2)).domain : source.domain;
    const from = { ...source, domain: shown };
    const standing = { domain: (await bench.ground.steadyTarget()).domain, path: 'copy/many' };
    await fill(bench, source, standing);
    const through = async (target: Place): Promise<Place> => ({
      ...target,
      domain: (await bench.ground.link(target.domain, { delayMs: delayMs / 2 })).domain,
    });
    const sides = await contest({
      ...bench,
      repetitions: far ? 1 : bench.repetitions,
      source,
      targetPath: 'copy/many',
      standing,
      ...(far ? { through } : {}),
      // One slow peer is enough to wait for.
      sides: (target) =>
        repositorySides(bench.peers, bench.ground.folder, from, target).slice(0, far ? 2 : 4),
    });
    return {
      name: far ? `unchanged-${delayMs}ms` : 'unchanged',
      what: `${manyTags(bench)} unchanged tags${far ? ` over a round trip of ${delayMs} ms` : ''}`,
      sides,
      checks: [
        ratioCheck(sides, 'wallSeconds', far ? 0.1 : 0.7),
        ...(far ? [] : await unchangedRequests(bench, source)),
      ],
    };
  };
}

/** Counts what an unchanged resync asks the source, and whether it sees the tags that did move. */
async function unchangedRequests(bench: Bench, source: Place): Promise<CaseResult['checks']> {
  const target = { domain: (await bench.ground.freshTarget()).domain, path: 'copy/many' };
  await fill(bench, source, target);
  const link = await bench.ground.link(source.domain);
  const from = { ...source, domain: link.domain };
  const copy = ours(
    bench.ground.folder,
    'copy',
    '--all-tags',
    '--quiet',
    `${from.domain}/${from.path}`,
    `${target.domain}/${target.path}`,
  );
  await measure(copy.argv, { env: copy.env ?? {} });
  const count = (what: string): number => link.requests.get(what) ?? 0;
  const all = [...link.requests.values()].reduce((sum, each) => sum + each, 0);
  const checks = [
    limitCheck(
      'upstream requests per tag, the list apart',
      (all - count('GET tags')) / manyTags(bench),
      1.01,
    ),
    limitCheck('manifest GETs', count('GET manifests'), 0),
  ];
  // Five tags get the images of others.
  await seedManyTags(source.domain, source.path, 5, manyTags(bench) - 5);
  await measure(copy.argv, { env: copy.env ?? {} });
  const missed = await incomplete(source, target);
  await bench.ground.sweep();
  return [...checks, { what: 'moved tags found', value: missed ?? 'all', met: missed === undefined }];
}

/** What passed between a tool and the two registries. */
interface Counted {
  readonly received: number;
  readonly sent: number;
  readonly requests: string;
}

/** One run over counting links; not timed. */
async function countedRun(
  bench: Bench,
  source: Place,
  targetPath: string,
  prepare?: (target: Place) => Promise<void>,
  tool = 'imageferry',
): Promise<Counted> {
  const target = { domain: (await bench.ground.freshTarget()).domain, path: targetPath };
  await prepare?.(target);
  const [up, down] = [await bench.ground.link(source.domain), await bench.ground.link(target.domain)];
  const places = [
    { ...source, domain: up.domain },
    { ...target, domain: down.domain },
  ] as const;
  const side = repositorySides(bench.peers, bench.ground.folder, ...places).find(({ name }) => name === tool);
  const { exitCode, output } = await measure(side?.argv ?? [], { env: side?.env ?? {} });
  if (exitCode !== 0) throw new Error(`${tool} failed over a counting link: ${output}`);
  const count = (link: typeof up): number => [...link.requests.values()].reduce((sum, each) => sum + each, 0);
  const requests = `${count(up)} to the source, ${count(down)} to the target`;
  const counted = { received: up.received, sent: down.sent, requests };
  await bench.ground.sweep();
  return counted;
}

/** How many requests ours sends, and the peer that sends the fewest. */
async function requestChecks(
  bench: Bench,
  source: Place,
  own: Counted,
  prepare?: (target: Place) => Promise<void>,
): Promise<CaseResult['checks']> {
  const crane = await countedRun(bench, source, 'copy/counted', prepare, 'crane');
  return [
    { what: 'requests', value: own.requests, met: true },
    { what: 'for comparison, crane: requests', value: crane.requests, met: true },
  ];
}

/** Cases without faults, in the order in which they run. */
export const smoothCases: readonly Case[] = [
  { name: 'one-layer', run: oneLayer },
  { name: 'twenty-images', run: twentyImages },
  { name: 'one-layer-changed', run: oneLayerChanged },
  { name: 'new-tags', run: newTags(false) },
  { name: 'new-tags-one-image', run: newTags(true) },
  { name: 'unchanged', run: unchangedTags(0) },
  { name: 'unchanged-50ms', run: unchangedTags(50) },
];
