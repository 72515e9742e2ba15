import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { failureCatalogue } from '../domain/failure-catalogue.ts';
import { generatedManifests } from '../infra/kubernetes/schema/manifests.ts';
import { generatedOpenApi, openApiFile } from './support/write-openapi.ts';

test('every failure has words in both languages and an HTTP status of an error', () => {
  for (const [code, entry] of Object.entries(failureCatalogue)) {
    assert.ok(entry.en.length > 5 && /[\u4e00-\u9fff]/.test(entry.zh), code);
    assert.ok(entry.status >= 400 && entry.status < 600, code);
  }
});

test('the committed OpenAPI document is the one the routes make (npm run generate)', async () => {
  assert.equal(readFileSync(openApiFile, 'utf8'), await generatedOpenApi());
});

test('the CRDs and roles in infra/deploy/generated are what their schemas say', () => {
  for (const [name, text] of Object.entries(generatedManifests())) {
    const committed = readFileSync(join(import.meta.dirname, '../infra/deploy/generated', name), 'utf8');
    assert.equal(committed, text, `${name}: run npm run generate`);
  }
});
