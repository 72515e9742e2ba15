import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failureCatalogue } from '../domain/failure-catalogue.ts';

test('every failure has words in both languages and an HTTP status of an error', () => {
  for (const [code, entry] of Object.entries(failureCatalogue)) {
    assert.ok(entry.en.length > 5 && /[\u4e00-\u9fff]/.test(entry.zh), code);
    assert.ok(entry.status >= 400 && entry.status < 600, code);
  }
});
