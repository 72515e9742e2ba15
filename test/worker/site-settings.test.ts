import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parseSiteSettings } from '../../worker/site-settings.ts';

const folder = mkdtempSync(join(tmpdir(), 'imageferry-settings-'));
after(() => rmSync(folder, { recursive: true }));
const ca = join(folder, 'ca.crt');
writeFileSync(ca, 'PEM');
const needed = { SITE_NAME: 'north', SITE_REGISTRY: '10.0.0.5:5000' };

for (const [name, environment, expected] of [
  ['nothing more than the site', {}, {}],
  ['its own certificates', { SITE_CA_FILE: ca }, { caBundle: 'PEM' }],
  ['plain http', { SITE_INSECURE: 'true' }, { insecure: true }],
  ['private addresses', { SITE_ALLOW_PRIVATE: 'true' }, { allowPrivate: true }],
] as const) {
  test(`a site's worker reaches its registry as it is told: ${name}`, () => {
    assert.deepEqual(parseSiteSettings({ ...needed, ...environment }).registryAccess, expected);
  });
}

for (const [name, environment, wrong] of [
  ['a word that is no choice', { SITE_INSECURE: 'yes' }, /SITE_INSECURE must be true or false/],
  ['a file that is not there', { SITE_CA_FILE: join(folder, 'no') }, /SITE_CA_FILE/],
  ['a bandwidth that is no number', { SITE_BANDWIDTH: '10M' }, /SITE_BANDWIDTH/],
] as const) {
  test(`a site's worker does not start with ${name}`, () => {
    assert.throws(() => parseSiteSettings({ ...needed, ...environment }), wrong);
  });
}

test("a site's worker uses the pool of bundles where it is told of one", () => {
  assert.equal(parseSiteSettings(needed).hasPool, false);
  assert.equal(parseSiteSettings({ ...needed, S3_BUCKET: 'pool' }).hasPool, true);
});
