import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { connectCluster } from '../../infra/kubernetes/connection.ts';
import { createDocuments } from '../../infra/kubernetes/documents.ts';
import { createStoredDocuments, type StoredDocument } from '../../infra/kubernetes/stored-documents.ts';
import { endpoints } from '../support/stack.ts';

const cluster = connectCluster(endpoints().kubeconfig);
const documents = createDocuments(cluster, 'default');
const stored = createStoredDocuments(cluster, 'default');
const since = Date.parse('2026-01-01T00:00:00Z');

/** Those under this key, as the cluster lists them. */
async function listed(key: string): Promise<readonly StoredDocument[]> {
  const found: StoredDocument[] = [];
  for await (const document of stored.list()) if (document.key.startsWith(key)) found.push(document);
  return found;
}

test('documents are found over several pages, noted, and taken away; a write takes the note away', async () => {
  const key = `test/${randomBytes(4).toString('hex')}`;
  for (let number = 0; number < 25; number += 1) await documents.write(`${key}/${number}`, `text ${number}`);
  const all = await listed(key);
  assert.equal(all.length, 25);
  for (const document of all) await stored.mark(document, since);
  const noted = await listed(key);
  assert.ok(noted.every(({ unownedSince }) => unownedSince === since));
  assert.equal(await documents.read(`${key}/7`), 'text 7');
  const [first, second, ...others] = noted;
  assert.ok(first !== undefined && second !== undefined);
  await documents.write(first.key, 'newer');
  await stored.mark(second, undefined);
  for (const document of noted) await stored.remove(document);
  const left = await listed(key);
  assert.deepEqual(
    new Map(left.map(({ key: own, unownedSince }) => [own, unownedSince])),
    new Map([first, second].map(({ key: own }) => [own, undefined])),
    'what was changed after it was listed stays',
  );
  assert.equal(await documents.read(first.key), 'newer');
  for (const { key: own } of others) assert.equal(await documents.read(own), undefined);
  await stored.mark(noted[5] ?? first, since);
  for (const document of left) await stored.remove(document);
  assert.deepEqual(await listed(key), []);
});
