import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mock, test } from 'node:test';
import { prebuiltApiServer } from '../../../infra/local/install/envtest.ts';

const folder = mkdtempSync(join(tmpdir(), 'imageferry-envtest-'));
const details: string[] = [];
const step = { detail: (text: string) => details.push(text), done: () => {}, failed: () => {} };

const answers = [
  ['another file', () => Promise.resolve(new Response('not the file')), /pinned checksum/],
  ['an error page', () => Promise.resolve(new Response('', { status: 503 })), /HTTP 503/],
  [
    'no answer',
    () => Promise.reject(new TypeError('fetch failed', { cause: new Error('ENOTFOUND') })),
    /ENOTFOUND/,
  ],
] as const;

for (const [what, answer, said] of answers) {
  test(`a prebuilt API server that turns out to be ${what} is not used, and the build takes over`, async () => {
    const fetching = mock.method(globalThis, 'fetch', answer);
    assert.equal(await prebuiltApiServer(folder, step), false);
    fetching.mock.restore();
    assert.match(details.at(-1) ?? '', said);
    assert.deepEqual(readdirSync(folder), []);
  });
}

test('IMAGEFERRY_PREBUILT=off asks nobody', async () => {
  process.env['IMAGEFERRY_PREBUILT'] = 'off';
  const fetching = mock.method(globalThis, 'fetch', () => Promise.reject(new Error('asked')));
  assert.equal(await prebuiltApiServer(folder, step), false);
  assert.equal(fetching.mock.callCount(), 0);
  rmSync(folder, { recursive: true });
});
