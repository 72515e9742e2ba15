import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failureCatalogue } from '../../../domain/failure-catalogue.ts';
import { isFailureCode } from '../../../domain/failure.ts';
import type { EdgeSite, EdgeSiteSpec } from '../../../domain/resources/edge-site.ts';
import { parsePercent, syncPercent } from '../../../domain/sync/progress.ts';
import { redact } from '../../../domain/sync/redact.ts';
import { nextTry } from '../../../domain/sync/retry.ts';
import { chooseSites } from '../../../domain/sync/site-choice.ts';
import { scheduleOffset } from '../../../domain/sync/spread.ts';
import {
  addToPage,
  emptyPage,
  nextLook,
  surveyReach,
  tagsAfter,
  type SurveyedImage,
} from '../../../domain/sync/survey.ts';
import { digest as rootDigest } from '../../support/sync-scene.ts';

const rule = { retryCount: 3, retryIntervalMs: 10_000 };

for (const [failedTries, code, retryAfterMs, expected] of [
  [1, 'Timeout', undefined, 10_000],
  [2, 'Timeout', undefined, 20_000],
  [3, 'Timeout', undefined, 40_000],
  [4, 'Timeout', undefined, undefined],
  [1, 'RateLimited', 60_000, 60_000],
  [1, 'RateLimited', 1000, 10_000],
  [1, 'Unauthorized', undefined, undefined],
  [1, 'TagConflict', undefined, undefined],
] as const) {
  test(`after try ${failedTries} failed as ${code} (Retry-After ${retryAfterMs}) the wait is ${expected}`, () => {
    const failure = { code, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
    assert.equal(nextTry(rule, failedTries, failure, 0), expected);
  });
}

test('N16: no code that is not of class retry is ever tried again', () => {
  for (const code of Object.keys(failureCatalogue).filter((word) => isFailureCode(word))) {
    const again = nextTry(rule, 1, { code }, 0.5) !== undefined;
    assert.equal(again, failureCatalogue[code].class === 'retry', code);
  }
});

const site = (name: string, spec: Partial<EdgeSiteSpec> = {}): EdgeSite => ({
  apiVersion: 'image.theriseunion.io/v1alpha1',
  kind: 'EdgeSite',
  metadata: { name },
  spec: { registry: { domain: 'edge.example' }, ...spec },
});

for (const { what, named, sites, goesTo } of [
  { what: 'no site at all', named: undefined, sites: [], goesTo: [[], [], []] },
  { what: 'sites, but no default', named: undefined, sites: [site('a')], goesTo: [[], [], []] },
  {
    what: 'a default site',
    named: undefined,
    sites: [site('a'), site('b', { default: true })],
    goesTo: [['b'], [], []],
  },
  {
    what: 'two default sites',
    named: [],
    sites: [site('b', { default: true }), site('a', { default: true, priority: 5 })],
    goesTo: [['a'], [], []],
  },
  {
    what: 'named sites, one offline, one missing',
    named: ['b', 'x', 'a', 'a'],
    sites: [site('a', { mode: 'offline' }), site('b'), site('c', { default: true })],
    goesTo: [['b'], ['a'], ['x']],
  },
]) {
  test(`with ${what} an image goes to ${JSON.stringify(goesTo)}`, () => {
    const spec = { repository: 'r', tag: 't', registryRef: { name: 's' } };
    const choice = chooseSites(named === undefined ? spec : { ...spec, sites: named }, sites);
    const names = (list: readonly EdgeSite[]): string[] => list.map(({ metadata }) => metadata.name);
    assert.deepEqual([names(choice.connected), names(choice.offline), choice.missing], goesTo);
  });
}

for (const [before, of, doneBytes, totalBytes, percent] of [
  [0, 1, 0, 100, 0],
  [0, 1, 42, 100, 42],
  [0, 1, 100, 100, 99],
  [1, 4, 50, 100, 37],
  [0, 0, 5, 0, 0],
] as const) {
  test(`${doneBytes} of ${totalBytes} bytes of copy ${before + 1} of ${of} are ${percent}%`, () => {
    assert.equal(syncPercent({ before, of }, { doneBytes, totalBytes }), percent);
  });
}

test('a percent text is read back, anything else counts as nothing', () => {
  assert.deepEqual(['42%', '', undefined, 'x%', '1000%'].map(parsePercent), [42, 0, 0, 0, 0]);
});

for (const text of [
  'GET https://user:canary@h/v2/',
  'https://cdn/x?X-Amz-Signature=canary&a=canary',
  'Authorization: Bearer canary.canary-1',
  'password=canary next',
  '{"token":"canary"}',
  'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.canary',
]) {
  test(`INV4: ${text.slice(0, 24)}… loses its secret`, () => {
    assert.doesNotMatch(redact(text), /canary|eyJ/);
  });
}

test('what is no secret stays readable', () => {
  const text = 'edge.example/a/b:v1 answered 503 (sha256:abc) https://h:5000/v2/a';
  assert.equal(redact(text), text);
});

test('S07: a thousand schedules of one interval are spread over all of it', () => {
  const tenths = new Set<number>();
  for (let index = 0; index < 1000; index += 1) {
    const offset = scheduleOffset({ namespace: 'default', name: `image-${index}` }, 3_600_000);
    assert.ok(offset >= 0 && offset < 3_600_000);
    tenths.add(Math.floor(offset / 360_000));
  }
  assert.equal(tenths.size, 10);
});

const looked = (tag: string, needed: readonly string[], sites = 1): SurveyedImage => ({
  tag: tag.padEnd(60, 't'),
  root: { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: rootDigest, size: 500 },
  current: Array.from({ length: sites - needed.length }, (_, index) => ({
    site: `site-${index}`.padEnd(40, 's'),
    digest: rootDigest,
  })),
  needed,
});

test('pages go on after the last tag, and together are every tag once', () => {
  const tags = Array.from({ length: 57 }, (_, index) => `v${index}`).toSorted();
  assert.deepEqual(tagsAfter(tags, undefined), tags);
  assert.deepEqual(tagsAfter(tags, tags[9]), tags.slice(10));
  assert.deepEqual(tagsAfter(tags, 'v0a'), tags.slice(1), 'also where that tag went meanwhile');
  assert.deepEqual(tagsAfter(tags, tags.at(-1)), []);
});

test('N06 a page of a survey stays below 64 KiB with any number of sites, and looks far where nothing changed', () => {
  for (const sites of [0, 1, 5, 20, 100, 200]) {
    const names = Array.from({ length: sites }, (_, index) => `site-${index}`.padEnd(63, 's'));
    for (const needed of [names, []]) {
      let page = emptyPage;
      for (let look = nextLook(page, sites); look > 0; look = nextLook(page, sites)) {
        const images = Array.from({ length: look }, (_, index) =>
          looked(`t${page.looked + index}`, needed, sites),
        );
        page = addToPage(page, images, { first: true, primary: 'none', sites });
      }
      assert.ok(JSON.stringify(page).length < 65_536, `${sites} sites: ${JSON.stringify(page).length}`);
      assert.equal(page.images.length + page.unchanged, page.looked);
      if (needed.length === 0) assert.ok(page.looked >= surveyReach);
    }
  }
});

test('later pages name only what needs copying, and the primary image', () => {
  const images = [looked('a', []), looked('b', ['edge']), looked('c', [])];
  const primary = images[2]?.tag ?? '';
  const page = addToPage(emptyPage, images, { first: false, primary, sites: 1 });
  assert.deepEqual(page.images, images.slice(1));
  assert.equal(page.unchanged, 1);
});
