import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { failureCatalogue } from '../../domain/failure-catalogue.ts';

const api = join(import.meta.dirname, '../../api');
const document = JSON.parse(readFileSync(join(api, 'openapi.json'), 'utf8'));

const bodies = ['RollbackRequest', 'ReleaseRequest', 'RestoreRequest'];
for (const name of bodies) {
  test(`${name} may be empty, and the OpenAPI document says so`, () => {
    const { required = [], properties } = document.components.schemas[name];
    assert.ok(Object.keys(properties).length > 0);
    assert.deepEqual(required, []);
  });
}

test('what may be left out is written with optional(): the generator takes exactOptional for required', () => {
  const files = readdirSync(api, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  const wrong = files.filter((name) => {
    // The webhooks are in no document.
    if (name === 'schema/optional.ts' || name === 'routes/admission.ts') return false;
    return readFileSync(join(api, name), 'utf8').includes('.exactOptional()');
  });
  assert.deepEqual(wrong, []);
});

test('every status that a failure can have is in the document of every route', () => {
  // 499 is never sent: nobody is there any more.
  const statuses = new Set(Object.values(failureCatalogue).map(({ status }) => String(status)));
  statuses.delete('499');
  const missing = Object.entries<Record<string, { responses: object }>>(document.paths).flatMap(
    ([path, methods]) =>
      Object.entries(methods).flatMap(([method, { responses }]) => {
        const documented = new Set(Object.keys(responses));
        return [...statuses]
          .filter((status) => !documented.has(status))
          .map((status) => `${method} ${path} ${status}`);
      }),
  );
  assert.deepEqual(missing, []);
});

test('an event of the progress stream is told of as an event, not as text', () => {
  const path =
    Object.keys(document.paths).find((name) => name.endsWith('/repositories/{name}/progress')) ?? '';
  const { schema } = document.paths[path].get.responses['200'].content['text/event-stream'];
  assert.deepEqual([schema.type, schema.required], ['object', ['event', 'data']]);
});
